"""The training step of zoo models as production runs it, timed from outside."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from training_step.keras_models import (
    CLASSIFIER,
    WIDTH_OF_CLASSIFIER,
    Examples,
    batches_for,
    new_model,
    objective,
)

from latentloom.model_zoo.backend.devices import accelerators, uses_xla
from latentloom.model_zoo.backend.rounding import fix_rounding
from latentloom.model_zoo.contract import LearnsAtOtherRates
from latentloom.model_zoo.training.batches import Batches, fed_to_device
from latentloom.model_zoo.training.schedule import Schedule, optimizer, steps_per_execution


class KerasLoop:
    """A zoo model, or the classifier, with what `fit` compiles for it.

    Args:
        model: Key of `MODELS`, or `"classifier"`.
        args: Arguments of the model that are not its defaults.
        examples: Images and factors, at least `steps * batch_size` of them.
        factor_sizes: Number of values of every factor.
        steps: Steps an epoch.
        batch_size: Examples a step.
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(
        self,
        model: str,
        args: Mapping[str, Any],
        examples: Examples,
        *,
        factor_sizes: Mapping[str, int],
        steps: int,
        batch_size: int,
        precision: str,
    ):
        policy = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[precision]
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        self.model = new_model(model, args, examples, factor_sizes)
        self.examples, self.batch_size = examples, batch_size
        fix_rounding()  # as training does
        self.schedule = Schedule(epochs=100, batch_size=batch_size)
        self.steps_per_epoch = steps
        self.steps_at_once = steps_per_execution(self.schedule, self.steps_per_epoch)
        on_jax = keras.backend.backend() == "jax"
        self.model.compile(
            optimizer(self.model, self.schedule, self.steps_per_epoch),
            jit_compile=uses_xla(),
            steps_per_execution=self.steps_at_once,
            **objective(model),
        )
        self.fit_seconds()  # builds what is built late
        self.model.make_train_function()
        self.batches = self._jax_batches() if on_jax else self._tensorflow_batches()
        self.seconds = self._jax_seconds if on_jax else self._tensorflow_seconds

    def fit_seconds(self) -> float:
        """Seconds of the second epoch of `fit`, over batches made as in production."""
        clock, epochs = EpochClock(), range(2)
        batches = self._batches(seed=0, epochs=epochs)
        self.model.fit(
            fed_to_device(batches),
            epochs=len(epochs),
            steps_per_epoch=batches.steps_per_epoch,
            shuffle=False,
            callbacks=[clock],
            verbose=0,
        )
        return clock.seconds[-1]

    def _batches(self, **settings) -> Batches:
        count = self.steps_per_epoch * self.batch_size
        return batches_for(self.model, self.examples, count, self.batch_size, **settings)

    def _steps(self) -> list[tuple]:
        batches = self._batches()
        return [batches[step] for step in range(self.steps_per_epoch)]

    def stacked(self) -> tuple:
        """The batches that `seconds` goes through again and again, along a leading axis."""
        return keras.tree.map_structure(lambda *columns: np.stack(columns), *self._steps())

    def _tensorflow_batches(self):
        import tensorflow as tf

        dataset = tf.data.Dataset.from_tensor_slices(self.stacked()).cache().repeat()
        if devices := accelerators():
            feed = tf.data.experimental.prefetch_to_device(f"/{devices[0]}")
            return iter(dataset.apply(feed))
        return iter(dataset.prefetch(tf.data.AUTOTUNE))

    def _tensorflow_seconds(self, steps: int) -> float:
        calls = max(steps // self.steps_at_once, 1)
        begin = time.perf_counter()
        for _ in range(calls):
            logs = self.model.train_function(self.batches)
        float(logs["loss"])  # waits for the device
        return (time.perf_counter() - begin) * steps / (calls * self.steps_at_once)

    def _jax_batches(self):
        import jax

        return itertools.cycle([jax.device_put(batch) for batch in self._steps()])

    def _jax_seconds(self, steps: int) -> float:
        import jax

        model, batches = self.model, self.batches
        groups = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
        state = jax.block_until_ready([[variable.value for variable in g] for g in groups])
        begin = time.perf_counter()
        for _ in range(steps):
            _, state = model.train_function(tuple(state), batches)
        jax.block_until_ready(state)
        seconds = time.perf_counter() - begin
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return seconds

    def networks(self) -> dict[str, keras.Model]:
        """The networks that the model is made of, by name."""
        if isinstance(self.model, keras.Sequential):
            return {self.model.name: self.model}
        parts = self.model.layers
        return {part.name: part for part in parts if isinstance(part, keras.Model)}

    def config(self) -> dict[str, Any]:
        """What the twin must know."""
        images, _ = self._batches()[0]
        shared = {
            "group_size": math.prod(images.shape[1:-3]),
            "parameters": sum(int(np.prod(w.shape)) for w in self.model.trainable_weights),
            "learning_rate": self.schedule.learning_rate,
            "schedule_steps": self.schedule.epochs * self.steps_per_epoch,
        }
        if self.model.name == CLASSIFIER:
            shape = self.model.input_shape[1:]
            classes = self.model.output_shape[-1]
            sizes = {
                "observation_shape": shape,
                "num_classes": classes,
                "width": WIDTH_OF_CLASSIFIER,
            }
            return {**shared, **sizes}
        model = self.model
        rates = model.relative_rates if isinstance(model, LearnsAtOtherRates) else {}
        return {
            **shared,
            **{k: v for k, v in self.model.get_config().items() if k != "dtype"},
            "latent_spec": self.model.latent_spec,
            "loss_weights": self.model.loss_weights,
            "relative_rates": {name: rate for name, (_, rate) in rates.items()},
        }


class EpochClock(keras.callbacks.Callback):
    """Seconds of every epoch."""

    def __init__(self):
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self._begin)
