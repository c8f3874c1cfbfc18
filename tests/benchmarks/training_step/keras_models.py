"""What `train_step.py` trains in Keras, and the batches that it learns from in production."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from latentloom.model_zoo.networks.classifier import image_classifier
from latentloom.model_zoo.registry import MODELS, build_model
from latentloom.model_zoo.training.batches import Batches
from latentloom.model_zoo.training.fit import sampler

CLASSIFIER = "classifier"
WIDTH_OF_CLASSIFIER = 32
VALUE_RANGE = (-1.0, 1.0)

Examples = tuple[np.ndarray, Mapping[str, np.ndarray]]
"""`(n, height, width, channels)` uint8 images, and `(n,)` codes of every factor by name."""


def new_model(
    name: str, args: Mapping[str, Any], examples: Examples, factor_sizes: Mapping[str, int]
) -> keras.Model:
    """A model of the zoo, or the classifier, for some examples.

    Args:
        name: Key of `MODELS`, or `"classifier"`.
        args: Arguments of the model that are not its defaults; the classifier has none.
        examples: What it will learn from.
        factor_sizes: Number of values of every factor, "label" among them.
    """
    observation_shape, num_classes = examples[0].shape[1:], factor_sizes["label"]
    if name == CLASSIFIER:
        return image_classifier(observation_shape, num_classes, width=WIDTH_OF_CLASSIFIER)
    return build_model(name, args, observation_shape, num_classes, factor_sizes=factor_sizes)


def objective(name: str) -> dict[str, Any]:
    """What `compile` is told beside the optimizer; zoo models have a loss of their own."""
    if name in MODELS:
        return {}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"loss": loss, "metrics": ["accuracy"]}


def batches_for(
    model: keras.Model, examples: Examples, count: int, batch_size: int, **settings
) -> Batches:
    """Batches by the model's own sampler, or plain ones.

    Args:
        model: What `new_model` returned.
        examples: Those that partners come from.
        count: Number of examples that an epoch goes through, the first ones.
        batch_size: Examples a step.
        **settings: Further settings of `Batches`.
    """
    images, factors = examples
    own = images[:count], {name: codes[:count] for name, codes in factors.items()}
    shared = {"batch_size": batch_size, "value_range": VALUE_RANGE, **settings}
    return sampler(model, *examples)(*own, **shared)
