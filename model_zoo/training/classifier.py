"""Training of classifiers and other networks that have one loss: no checkpoints, no patience."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from latentloom.model_zoo.backend.devices import uses_xla
from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.networks.classifier import CLASSIFIERS
from latentloom.model_zoo.networks.heads import HeadsCrossentropy, heads_accuracy
from latentloom.model_zoo.scaling import PIXELS, Scaling
from latentloom.model_zoo.training.batches import Batches, Feed, fed_to_device
from latentloom.model_zoo.training.deformations import Deformations
from latentloom.model_zoo.training.schedule import (
    Schedule,
    adam,
    build_optimizer,
    steps_per_execution,
)
from latentloom.model_zoo.training.time_limit import TimeLimit

CLASSIFIER_RANGE = (-1.0, 1.0)
SCORED_AT_ONCE = 512
"""Rows of a call that scores a classifier."""


def fit_classifier(
    train: tuple[np.ndarray, np.ndarray],
    num_classes: int | Sequence[int],
    schedule: Schedule,
    width: int = 32,
    network: str = "convolutional",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    scaling: Scaling = PIXELS,
    deformations: Deformations | None = None,
) -> keras.Model:
    """Trains a classifier from the schedule's seed; only `schedule.minutes` stops it early.

    Args:
        train: `(observations as stored, labels)` to train on; labels `(n, factors)` for several
            factors.
        num_classes: Number of classes; or the number of values of each factor, for which the loss
            is the sum of the factors' cross-entropies.
        schedule: How long and how fast to train.
        width: Channels of the first convolution.
        network: Name of an architecture in `CLASSIFIERS`.
        callbacks: Keras callbacks, for example to show progress.
        scaling: Scaling of the observations, of which `for_classifiers` is used; defaults to uint8
            images.
        deformations: Deforms the training images; none by default.

    Returns:
        The trained network, which maps observations scaled to `[-1, 1]` to logits.
    """
    if isinstance(num_classes, int):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    else:
        loss, accuracy = HeadsCrossentropy(num_classes), heads_accuracy(num_classes)
    fix_rounding()
    keras.utils.set_random_seed(schedule.seed)
    classifier = CLASSIFIERS[network](train[0].shape[1:], num_classes, width=width)
    batches = Batches(
        *train,
        batch_size=schedule.batch_size,
        value_range=CLASSIFIER_RANGE,
        seed=schedule.seed,
        steps_divisor=schedule.steps_per_execution or 1,
        most_steps=schedule.steps,
        scaling=scaling.for_classifiers,
        deformations=deformations,
    )
    batches.epochs = range(schedule.whole_epochs(batches.steps_per_epoch))
    compile_network(classifier, schedule, batches.steps_per_epoch, loss, [accuracy])
    limits = [TimeLimit(schedule.minutes)] if schedule.minutes else []
    fit_network(classifier, batches, len(batches.epochs), [*limits, *callbacks])
    return classifier


def compile_network(
    network: keras.Model,
    schedule: Schedule,
    steps: int,
    loss: keras.losses.Loss,
    metrics: Sequence = (),
) -> None:
    """Compiles a network for `fit_network`.

    Args:
        network: A built network.
        schedule: How long and how fast to train.
        steps: Batches an epoch.
        loss: Loss to minimise.
        metrics: Keras metrics to report.
    """
    network.compile(
        adam(schedule, steps),
        loss,
        metrics=list(metrics),
        jit_compile=uses_xla(),
        steps_per_execution=steps_per_execution(schedule, steps),
    )
    build_optimizer(network)


def fit_network(
    network: keras.Model,
    batches: keras.utils.PyDataset,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains a network without early stopping.

    Args:
        network: A compiled network.
        batches: Batches of all epochs, in the order of training.
        epochs: Number of epochs.
        callbacks: Keras callbacks, for example to show progress.
    """
    feed = Feed(batches)
    with feed.in_use():
        network.fit(
            fed_to_device(feed),
            epochs=epochs,
            steps_per_epoch=len(batches) // epochs,
            shuffle=False,
            callbacks=list(callbacks),
            verbose=0,
        )


def logits_of(
    classifier: keras.Model, observations: np.ndarray, scaling: Scaling = PIXELS
) -> np.ndarray:
    """Logits of a classifier for observations as stored, `(n, logits)` float64; runs in batches.

    Args:
        classifier: A network that `fit_classifier` or `fit_network` trained.
        observations: `(n, ...)` observations as stored.
        scaling: Scaling of the observations; defaults to uint8 images.
    """
    logits = []
    for start in range(0, max(len(observations), 1), SCORED_AT_ONCE):
        part = observations[start : start + SCORED_AT_ONCE].astype(np.float32)
        scaled = scaling.for_classifiers.to_model(part, CLASSIFIER_RANGE)
        logits.append(np.asarray(classifier(scaled), np.float64))
    return np.concatenate(logits)
