"""Checks what the generators of a study would refuse, before its directory is claimed."""

from __future__ import annotations

from collections.abc import Iterable

from latentloom.augment import find_recipe
from latentloom.pipeline.codec.detail import check_detail
from latentloom.pipeline.dataset.known_names import check_generate_names
from latentloom.pipeline.study.generators import scaled
from latentloom.pipeline.study.samples import StudyData
from latentloom.pipeline.training.checks import check_settings, check_training
from latentloom.pipeline.training.train import divide_examples

SPLIT = "train"
"""The split that generators are trained on, and that pools vary."""


def check_pools(data: StudyData) -> None:
    """Checks the recipe, the options and the names of every pool.

    Raises:
        ValueError: A pool does not fit the data.
    """
    config, factors = data.config, data.dataset.manifest.factors
    check_generate_names(config.generate, factors)
    for name, changes in config.study.pools.items():
        settings, key = config.generate.changed(changes), f"study.pools.{name}"
        find_recipe(settings.recipe).resolve(settings.options)
        check_generate_names(settings, factors, key)
        check_detail(settings.detail, data.dataset.observation_kind, key)
        if settings.split != SPLIT:
            raise ValueError(
                f"A pool varies the real examples of a study. Expected: split '{SPLIT}'. "
                f"Received: {key}.split={settings.split!r}. Leave the split out."
            )


def check_generators(data: StudyData, samples: Iterable[tuple[int | None, int]]) -> None:
    """Checks the training of the generator of every size and seed.

    Raises:
        ValueError: A training would be refused.
    """
    manifest = data.dataset.manifest
    model = check_settings(data.config, manifest)
    for size, seed in samples:
        real = data.train.take(data.draw_rows(size, seed))
        config = scaled(data.config, len(real), seed)
        folds, _ = divide_examples(config, real, manifest)
        check_training(model, config, folds, manifest)
