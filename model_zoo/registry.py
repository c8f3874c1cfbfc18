"""The models that configurations can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import keras

from latentloom.model_zoo.drit import Drit
from latentloom.model_zoo.elegant import Elegant
from latentloom.model_zoo.gzs_net import GZSNet
from latentloom.model_zoo.hfvae import HFVAE
from latentloom.model_zoo.scaling import Counts
from latentloom.model_zoo.spelling import nearest_name
from latentloom.model_zoo.st_rkm import StRKM
from latentloom.model_zoo.zszu_vae import ZsZuVAE

MODELS: dict[str, type[keras.Model]] = {
    "zszu_vae": ZsZuVAE,
    "gzs_net": GZSNet,
    "st_rkm": StRKM,
    "hfvae": HFVAE,
    "elegant": Elegant,
    "drit": Drit,
}

GIVEN_BY_THE_DATA = (
    "observation_shape",
    "num_classes",
    "class_probabilities",
    "factor_sizes",
    "num_examples",
    "observation",
)
"""Arguments that come from the data, not from a configuration; a model takes those it needs."""


def tunable_arguments(name: str) -> dict[str, Any]:
    """Arguments of a model that a configuration may set, with their defaults.

    Raises:
        ValueError: No model has this name.
    """
    if name not in MODELS:
        raise ValueError(
            f"The model is unknown. Expected: one of {', '.join(sorted(MODELS))}. "
            f"Received: model.name={name!r}. Did you mean '{nearest_name(name, MODELS)}'?"
        )
    known = _arguments(name)
    return {name: default for name, default in known.items() if name not in GIVEN_BY_THE_DATA}


def _arguments(name: str) -> dict[str, Any]:
    """All arguments of a model beside the shape and the number of classes, with their defaults."""
    return {field.name: field.default for field in fields(MODELS[name].settings_class)}


def check_arguments(name: str, args: Mapping[str, Any]) -> None:
    """Rejects arguments that the model does not have.

    Raises:
        ValueError: The model or an argument is unknown; the message suggests the nearest name.
    """
    known = tunable_arguments(name)
    for argument in args:
        if argument not in known:
            raise ValueError(
                f"Model '{name}' has no argument '{argument}'. "
                f"Expected: one of {', '.join(sorted(known))}. "
                f"Received: model.args.{argument}. Did you mean '{nearest_name(argument, known)}'?"
            )


def takes_counts(name: str) -> bool:
    """Whether a model can learn from bags of words: whether it has the argument `observation`."""
    return "observation" in _arguments(name)


def build_model(
    name: str,
    args: Mapping[str, Any],
    observation_shape: Sequence[int],
    num_classes: int,
    **given: Any,
) -> keras.Model:
    """Builds a model for a data set.

    Args:
        name: Key of `MODELS`.
        args: Arguments from the configuration.
        observation_shape: `(height, width, channels)` in pixels, `(features,)` or `(words,)`.
        num_classes: Number of classes.
        **given: Further arguments of `GIVEN_BY_THE_DATA`; the ones that the model does not have
            are ignored.

    Returns:
        The built model.

    Raises:
        ValueError: An argument is unknown, or the model cannot learn from bags of words.
    """
    check_arguments(name, args)
    if given.get("observation") == Counts.kind and not takes_counts(name):
        able = [model for model in MODELS if takes_counts(model)]
        raise ValueError(
            f"Model '{name}' cannot learn from bags of words. Expected: a model with a likelihood "
            f"of counts, {', '.join(able)}. Received: observations of kind '{Counts.kind}'. Set "
            f"`model.name` to {' or '.join(able)}."
        )
    has = _arguments(name)
    given = {key: value for key, value in given.items() if key in has}
    return MODELS[name](tuple(observation_shape), num_classes, **args, **given)
