"""How long and how fast to train, and the optimizer that does so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras

from latentloom.model_zoo.backend.devices import num_replicas
from latentloom.model_zoo.contract import HasStiefelMatrices, LearnsAtOtherRates
from latentloom.model_zoo.optimizers import CayleyAdam, FusedAdam, Grouped

MOST_STEPS_AT_ONCE = 10


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Args:
        epochs: Passes over the training data, at least 1; unused if `steps` is set.
        batch_size: Examples a step.
        learning_rate: Peak rate of Adam; it decays to a twentieth along a cosine.
        beta_1: Decay of Adam's averaged gradient, in `[0, 1)`; 0.5 is usual against discriminators.
        warmup_steps: Steps over which the rate first rises from zero.
        patience: Epochs without progress after which to stop, or 0 for never.
        seed: Seed of the initial weights, the noise and the order of the examples.
        steps_per_execution: Batches per call to the device; an epoch is a multiple of it and the
            remainder is dropped. `None` for the largest divisor of the epoch up to
            `MOST_STEPS_AT_ONCE`; see `steps_per_execution`.
        gradient_accumulation_steps: Batches over which gradients are averaged for one update. The
            optimizer's batch is this many times `batch_size`.
        steps: Batches of the whole training, instead of epochs. More than a pass over the data are
            rounded up to whole passes; fewer are one epoch, which is shorter.
        minutes: Time after which to stop, however much is left; None for no limit. Results then
            depend on the machine.
        checkpoint_minutes: Time after which the state is saved within an epoch too.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    beta_1: float = 0.9
    warmup_steps: int = 0
    patience: int = 0
    seed: int = 0
    steps_per_execution: int | None = None
    gradient_accumulation_steps: int = 1
    steps: int | None = None
    minutes: float | None = None
    checkpoint_minutes: float = 10.0

    def whole_epochs(self, steps_per_epoch: int) -> int:
        """Returns the number of epochs, given the steps of one; see `Batches.most_steps`."""
        return math.ceil(self.steps / steps_per_epoch) if self.steps else self.epochs


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
    epochs, warmup = schedule.whole_epochs(steps_per_epoch), schedule.warmup_steps
    steps = epochs * steps_per_epoch
    if warmup >= steps:
        raise ValueError(
            f"The warm-up is longer than the training. Expected: train.warmup_steps below {steps}, "
            f"the steps of {epochs} epochs. Received: train.warmup_steps={warmup}. Lower it, or "
            "raise `train.epochs` or `train.steps`."
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
    return kind(
        cosine,
        beta_1=schedule.beta_1,
        gradient_accumulation_steps=accumulated if accumulated > 1 else None,
    )


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
