"""The training loop of all models and classifiers: Keras' `fit`, with checkpoints for models."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentloom.model_zoo.backend.devices import num_replicas, uses_xla
from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.contract import (
    HasStiefelMatrices,
    LearnsAtOtherRates,
    MakesBatches,
    SettlesAxes,
)
from latentloom.model_zoo.networks.classifier import image_classifier
from latentloom.model_zoo.networks.heads import HeadsCrossentropy, heads_accuracy
from latentloom.model_zoo.optimizers import CayleyAdam, FusedAdam, Grouped
from latentloom.model_zoo.scaling import PIXELS, Scaling
from latentloom.model_zoo.training.batches import Batches, Factors, fed_to_device, labels_of
from latentloom.model_zoo.training.checkpoints import Checkpoints
from latentloom.model_zoo.training.deformations import Deformations

CLASSIFIER_RANGE = (-1.0, 1.0)
MOST_STEPS_AT_ONCE = 10


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Args:
        epochs: Passes over the training data, at least 1.
        batch_size: Examples a step.
        learning_rate: Peak rate of Adam; it decays to a twentieth along a cosine.
        warmup_steps: Steps over which the rate first rises from zero.
        patience: Epochs without progress after which to stop, or 0 for never.
        seed: Seed of the initial weights, the noise and the order of the examples.
        steps_per_execution: Batches per call to the device; an epoch is a multiple of it and the
            remainder is dropped. `None` for the largest divisor of the epoch up to
            `MOST_STEPS_AT_ONCE`; see `steps_per_execution`.
        gradient_accumulation_steps: Batches over which gradients are averaged for one update. The
            optimizer's batch is this many times `batch_size`.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    warmup_steps: int = 0
    patience: int = 0
    seed: int = 0
    steps_per_execution: int | None = None
    gradient_accumulation_steps: int = 1


Optimizer = keras.optimizers.Optimizer


def adam(
    schedule: Schedule,
    steps_per_epoch: int,
    rate: float = 1.0,
    kind: Callable[..., Optimizer] = FusedAdam,
) -> Optimizer:
    """Adam with a linear warm-up, then a cosine decay over the rest of the schedule.

    Args:
        schedule: How long and how fast to train.
        steps_per_epoch: Batches an epoch.
        rate: Factor on the learning rate of the schedule.
        kind: Class of the optimizer, for example `CayleyAdam`.

    Raises:
        ValueError: The warm-up is not shorter than the training.
    """
    steps, warmup = schedule.epochs * steps_per_epoch, schedule.warmup_steps
    if warmup >= steps:
        raise ValueError(
            f"The warm-up is longer than the training. Expected: train.warmup_steps below {steps}, "
            f"the steps of {schedule.epochs} epochs. Received: train.warmup_steps={warmup}. Lower "
            "it, or raise `train.epochs`."
        )
    peak = rate * schedule.learning_rate
    cosine = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else peak,
        steps - warmup,
        alpha=0.05,
        warmup_target=peak if warmup else None,
        warmup_steps=warmup,
    )
    accumulated = schedule.gradient_accumulation_steps
    return kind(cosine, gradient_accumulation_steps=accumulated if accumulated > 1 else None)


def optimizer(model: keras.Model, schedule: Schedule, steps_per_epoch: int) -> Optimizer:
    """Makes Adam, with separate groups for the model's `relative_rates` and `stiefel_groups`."""
    default = adam(schedule, steps_per_epoch)
    networks = model.relative_rates if isinstance(model, LearnsAtOtherRates) else {}
    matrices = model.stiefel_groups if isinstance(model, HasStiefelMatrices) else {}
    groups = {
        name: (part, adam(schedule, steps_per_epoch, rate, kind))
        for parts, kind in ((networks, FusedAdam), (matrices, CayleyAdam))
        for name, (part, rate) in parts.items()
    }
    return Grouped(groups, default) if groups else default


def build_optimizer(model: keras.Model) -> None:
    """Makes the variables of the optimizer: TensorFlow traces a step twice that makes variables."""
    model.optimizer.build(model.trainable_variables)


def steps_per_execution(schedule: Schedule, steps_per_epoch: int) -> int:
    """Batches per call to the device.

    Defaults to the largest divisor of the epoch up to `MOST_STEPS_AT_ONCE`. Defaults to 1 on JAX,
    which compiles each of them, and on several devices, for which TensorFlow cannot build the loop
    of every model.
    """
    if schedule.steps_per_execution:
        return schedule.steps_per_execution
    if keras.backend.backend() == "jax" or num_replicas() > 1:
        return 1
    return max(n for n in range(1, MOST_STEPS_AT_ONCE + 1) if steps_per_epoch % n == 0)


def check_accumulation(schedule: Schedule) -> None:
    """Rejects gradient accumulation on several TensorFlow devices, which Keras does not support."""
    mirrored = keras.backend.backend() == "tensorflow" and num_replicas() > 1
    if mirrored and schedule.gradient_accumulation_steps > 1:
        raise ValueError(
            "TensorFlow cannot accumulate gradients on several devices. Expected: one device or "
            "no accumulation. "
            f"Received: {num_replicas()} devices, train.gradient_accumulation_steps="
            f"{schedule.gradient_accumulation_steps}. Set it to 1, set train.devices to 1, or "
            "train with KERAS_BACKEND=jax."
        )


def sampler(model: keras.Model, images: np.ndarray, factors: Factors) -> Callable[..., Batches]:
    """Returns the function that makes a model's batches: its own `sampler`, or plain `Batches`.

    Args:
        model: A zoo model.
        images: Training observations as stored.
        factors: Factors of the observations.

    Returns:
        A function of images, factors and the settings of `Batches`.
    """
    if isinstance(model, MakesBatches):
        return model.sampler(images, factors)
    return lambda images, factors, **settings: Batches(images, labels_of(factors), **settings)


def fit(
    model: keras.Model,
    train: tuple[np.ndarray, Factors],
    validation: tuple[np.ndarray, Factors],
    schedule: Schedule,
    folder: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    scaling: Scaling = PIXELS,
    deformations: Deformations | None = None,
) -> list[dict[str, float]]:
    """Trains a latent model; resumes after the last finished epoch found in `folder`.

    Args:
        model: A zoo model, built with the schedule's seed and in the current `placement`.
        train: `(observations as stored, factors)` to train on; labels suffice for models that use
            no other factor.
        validation: `(observations as stored, factors)` that decide when to stop and which epoch is
            best.
        schedule: How long and how fast to train.
        folder: Folder of the checkpoints; empty or missing for a new run.
        callbacks: Further Keras callbacks, for example to show progress.
        scaling: Maps stored observations to the range of the model; defaults to uint8 images.
        deformations: Deforms the training images; none by default.

    Returns:
        The history, one dictionary of figures an epoch. The model then has the best weights.

    Raises:
        ValueError: There are too few examples for a step, the warm-up is too long, or gradients
            would be accumulated on several TensorFlow devices.
        FloatingPointError: Training diverged.
    """
    check_accumulation(schedule)
    fix_rounding()
    make_batches = sampler(model, *train)
    shared = _batch_settings(model, schedule, scaling)
    ordered = shared | {"seed": schedule.seed, "deformations": deformations}
    ordered["steps_divisor"] = schedule.steps_per_execution or 1
    steps = make_batches(*train, **ordered).steps_per_epoch
    _compile(model, schedule, steps)
    build_optimizer(model)
    checkpoints = Checkpoints(folder, model.monitor, schedule.patience)
    checkpoints.restore(model)
    left = range(checkpoints.next_epoch, schedule.epochs)
    if left and not checkpoints.is_finished:
        model.fit(
            fed_to_device(make_batches(*train, epochs=left, **ordered)),
            initial_epoch=left.start,
            epochs=left.stop,
            steps_per_epoch=steps,
            validation_data=make_batches(*validation, **shared),
            shuffle=False,  # `Batches` shuffles
            callbacks=[checkpoints, *callbacks],
            verbose=0,
        )
    checkpoints.restore_best(model)
    if isinstance(model, SettlesAxes):
        model.settle(batch[0] for batch in Batches(train[0], labels_of(train[1]), **shared))
    return checkpoints.history


def _batch_settings(model: keras.Model, schedule: Schedule, scaling: Scaling) -> dict[str, Any]:
    """The settings of `Batches` that training, validation and settling share."""
    return {
        "batch_size": schedule.batch_size,
        "value_range": model.value_range,
        "divisor": num_replicas(),
        "scaling": scaling,
    }


def _compile(model: keras.Model, schedule: Schedule, steps: int) -> None:
    """Compiles a zoo model for epochs of `steps` steps."""
    model.compile(
        optimizer(model, schedule, steps),
        jit_compile=uses_xla(),
        steps_per_execution=steps_per_execution(schedule, steps),
    )


def fit_classifier(
    train: tuple[np.ndarray, np.ndarray],
    num_classes: int | Sequence[int],
    schedule: Schedule,
    width: int = 32,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    scaling: Scaling = PIXELS,
    deformations: Deformations | None = None,
) -> keras.Sequential:
    """Trains a classifier from the schedule's seed, without early stopping.

    Args:
        train: `(observations as stored, labels)` to train on; labels `(n, factors)` for several
            factors.
        num_classes: Number of classes; or the number of values of each factor, for which the loss
            is the sum of the factors' cross-entropies.
        schedule: How long and how fast to train.
        width: Channels of the first convolution.
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
    network = image_classifier(train[0].shape[1:], num_classes, width=width)
    batches = Batches(
        *train,
        batch_size=schedule.batch_size,
        value_range=CLASSIFIER_RANGE,
        seed=schedule.seed,
        epochs=range(schedule.epochs),
        steps_divisor=schedule.steps_per_execution or 1,
        scaling=scaling.for_classifiers,
        deformations=deformations,
    )
    compile_network(network, schedule, batches.steps_per_epoch, loss, [accuracy])
    fit_network(network, batches, schedule.epochs, callbacks)
    return network


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
    network.fit(
        fed_to_device(batches),
        epochs=epochs,
        steps_per_epoch=len(batches) // epochs,
        shuffle=False,
        callbacks=list(callbacks),
        verbose=0,
    )


def forget(folder: Path) -> None:
    """Removes the checkpoints of a finished run."""
    shutil.rmtree(folder, ignore_errors=True)
