"""Factors measured from the pixels of grey images, in thirds of the training images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from latentloom.augment.spelling import nearest
from latentloom.model_zoo.metrics.strokes import ATTRIBUTES, measure_strokes
from latentloom.pipeline.dataset.terciles import VALUES, Terciles
from latentloom.pipeline.importing.derived import Batch, derive_source
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS


def add_measured_factors(source: Source, names: Sequence[str]) -> tuple[Source, Terciles]:
    """Adds measured factors to a source; reads its training images once to find the limits.

    Args:
        source: Grey images, each of one bright object on a dark background.
        names: Attributes, keys of `ATTRIBUTES`.

    Returns:
        The source with one more factor per name, and the limits of their values.

    Raises:
        ValueError: If the images are not grey or not bright on dark, a name is unknown or already a
            factor, or the images are too similar for thirds.
    """
    _check(source, names)
    terciles = Terciles.fit(_measure_training(source, names))

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        codes = {
            name: terciles.codes(name, measure_strokes(examples.observations, name))
            for name in names
        }
        return dataclasses.replace(examples, factors=examples.factors | codes), dead

    added = {name: list(VALUES) for name in names}
    return derive_source(source, change, factors=source.factors | added), terciles


def _check(source: Source, names: Sequence[str]) -> None:
    kind = KINDS[source.observation]
    if not kind.can_resize or source.observation_shape[-1] != 1:
        raise ValueError(
            f"Source '{source.name}' is unfit for --measure. Expected: grey images. Received: "
            f"{kind.many} of shape {source.observation_shape}. Drop --measure."
        )
    for name in names:
        if name not in ATTRIBUTES:
            raise ValueError(
                f"The attribute '{name}' is unknown. Expected: some of {', '.join(ATTRIBUTES)}. "
                f"Received: measure={list(names)}. {nearest(name, ATTRIBUTES)}"
            )
    if len(set(names)) < len(names) or set(names) & set(source.factors):
        raise ValueError(
            "A measured factor is a duplicate. Expected: names that source "
            f"'{source.name}' does not have, each once. Received: measure={list(names)} beside "
            f"{list(source.factors)}. Drop it from --measure, or keep others with --factors."
        )


def _measure_training(source: Source, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Measures each attribute in the training images, `(n,)`."""
    columns: dict[str, list[np.ndarray]] = {name: [np.zeros(0)] for name in names}
    total = np.zeros(source.observation_shape)
    for examples, _ in source.batches("train"):
        total += examples.observations.sum(axis=0, dtype=np.float64)
        for name in names:
            columns[name].append(measure_strokes(examples.observations, name))
    inside = np.zeros(total.shape, bool)
    inside[1:-1, 1:-1] = True
    if np.mean(total[~inside]) > np.mean(total):
        raise ValueError(
            f"The images of source '{source.name}' are not bright on dark. Expected: objects that "
            "are brighter than their surroundings. Received: images with edges brighter than "
            "the rest. Invert them, or drop --measure."
        )
    return {name: np.concatenate(parts) for name, parts in columns.items()}
