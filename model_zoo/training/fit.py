"""The training loop of all models: Keras' `fit`, with checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latentloom.model_zoo.backend.devices import num_replicas, uses_xla
from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.contract import (
    KeepsLastWeights,
    MakesBatches,
    SettlesAxes,
)
from latentloom.model_zoo.scaling import PIXELS, Scaling
from latentloom.model_zoo.training.batches import Batches, Factors, Feed, fed_to_device, labels_of
from latentloom.model_zoo.training.checkpoints import Checkpoints
from latentloom.model_zoo.training.deformations import Deformations
from latentloom.model_zoo.training.schedule import (
    Schedule,
    build_optimizer,
    check_accumulation,
    optimizer,
    steps_per_execution,
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
    """Trains a latent model; resumes from the last state found in `folder`.

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
        The history, one dictionary of figures an epoch. The model then has the best weights, or the
        last ones if it says so.

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
    ordered |= {"steps_divisor": schedule.steps_per_execution or 1, "most_steps": schedule.steps}
    steps = make_batches(*train, **ordered).steps_per_epoch
    _compile(model, schedule, steps)
    build_optimizer(model)
    checkpoints = Checkpoints(
        folder,
        model.monitor,
        schedule.patience,
        schedule.minutes,
        schedule.checkpoint_minutes,
        keeps_last=isinstance(model, KeepsLastWeights),
    )
    checkpoints.restore(model)
    for left, first_step in _left(checkpoints, schedule.whole_epochs(steps)):
        if checkpoints.is_finished:
            break
        learnt = Feed(make_batches(*train, epochs=left, first_step=first_step, **ordered))
        held_out = Feed(make_batches(*validation, **shared))
        with learnt.in_use(), held_out.in_use():
            model.fit(
                fed_to_device(learnt),
                initial_epoch=left.start,
                epochs=schedule.whole_epochs(steps),
                steps_per_epoch=steps - first_step,
                validation_data=held_out,
                shuffle=False,  # `Batches` shuffles
                callbacks=[checkpoints, *callbacks],
                verbose=0,
            )
    checkpoints.restore_best(model)
    if isinstance(model, SettlesAxes):
        model.settle(batch[0] for batch in Batches(train[0], labels_of(train[1]), **shared))
    return checkpoints.history


def _left(checkpoints: Checkpoints, epochs: int) -> list[tuple[range, int]]:
    """Returns epochs and their first step for every call of `fit`: the rest of one, then others."""
    left, step = range(checkpoints.next_epoch, epochs), checkpoints.next_step
    parts = [(left[:1], step), (left[1:], 0)] if step else [(left, 0)]
    return [part for part in parts if part[0]]


def check_fit(
    model: keras.Model,
    train: tuple[np.ndarray, Factors],
    validation: tuple[np.ndarray, Factors],
    schedule: Schedule,
    scaling: Scaling = PIXELS,
) -> int:
    """Raises the `ValueError` that `fit` would raise for these arguments, without training.

    Returns:
        The number of steps of an epoch.
    """
    check_accumulation(schedule)
    make_batches = sampler(model, *train)
    shared = _batch_settings(model, schedule, scaling)
    divisor = schedule.steps_per_execution or 1
    batches = make_batches(
        *train, seed=schedule.seed, steps_divisor=divisor, most_steps=schedule.steps, **shared
    )
    make_batches(*validation, **shared)
    optimizer(model, schedule, batches.steps_per_epoch)
    return batches.steps_per_epoch


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
