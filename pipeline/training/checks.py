"""Checks what a training would refuse, before its output directory is claimed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import keras

from latentloom.model_zoo.backend.devices import placement
from latentloom.model_zoo.networks.classifier import CLASSIFIERS
from latentloom.model_zoo.scaling import PIXELS, SCALINGS
from latentloom.model_zoo.training.fit import check_fit
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.folds import Folds, check_folds
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.training.fit_bundle import judge_factors, model_schedule, new_model


def check_settings(config: Config, manifest: Manifest) -> keras.Model:
    """Checks arguments, devices, precision and the factors of the judge; reads no examples.

    Returns:
        A model of the configuration, for `check_training`.

    Raises:
        ValueError: The configuration does not fit the data or the machine.
    """
    if config.data.deform and manifest.observation != PIXELS.kind:
        raise ValueError(
            f"Only images can be deformed. Expected: images. Received: '{manifest.name}' of "
            f"observations '{manifest.observation}', and data.deform. Drop `data.deform`."
        )
    with placement(config.train.devices, config.train.dtype_policy):
        given = {"observation": manifest.observation}
        model = new_model(config, manifest.observation_shape, manifest.factors, **given)
    judge_factors(config.judge, model.latent_spec, manifest.factors)
    CLASSIFIERS[config.judge.auditor](manifest.observation_shape, 2, width=1)
    return model


def check_training(model: keras.Model, config: Config, folds: Folds, manifest: Manifest) -> int:
    """Checks folds and schedule, as training would.

    Args:
        model: The model from `check_settings`.
        config: The whole configuration.
        folds: The examples, divided.
        manifest: The manifest of their data set.

    Returns:
        The number of steps of an epoch.

    Raises:
        ValueError: The examples or the schedule are unfit for training.
    """
    check_folds(folds, manifest.factors["label"])
    scaling = SCALINGS[manifest.observation].fit(folds.train.observations)
    train = (folds.train.observations, folds.train.factors)
    validation = (folds.validation.observations, folds.validation.factors)
    with placement(config.train.devices, config.train.dtype_policy), _warnings_kept_for_training():
        return check_fit(model, train, validation, model_schedule(config.train), scaling)


@contextlib.contextmanager
def _warnings_kept_for_training() -> Iterator[None]:
    """Keeps the warnings of models to themselves: training gives them again."""
    models = logging.getLogger("latentloom.model_zoo")
    level = models.level
    models.setLevel(logging.ERROR)
    try:
        yield
    finally:
        models.setLevel(level)
