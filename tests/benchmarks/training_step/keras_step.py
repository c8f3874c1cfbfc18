"""The training step of zoo models as production runs it, timed from outside."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import keras
import numpy as np

from model_zoo.batches import Batches, fed_to_device
from model_zoo.classifier import image_classifier
from model_zoo.devices import accelerators, uses_xla
from model_zoo.registry import MODELS, build_model
from model_zoo.rounding import fix_rounding
from model_zoo.training import Schedule, optimizer, sampler, steps_per_execution

CLASSIFIER = "classifier"
WIDTH_OF_CLASSIFIER = 32
VALUE_RANGE = (-1.0, 1.0)
GRADIENT_SCALE = 1e4


class KerasLoop:
    """A zoo model, or the classifier, with what `fit` compiles for it.

    Args:
        model: Key of `MODELS`, or `"classifier"`.
        images: `(steps * batch_size, height, width, channels)` uint8.
        labels: `(steps * batch_size,)` integers.
        num_classes: Number of classes.
        batch_size: Examples a step.
        precision: `"float32"` or `"bfloat16"`.
    """

    def __init__(
        self,
        model: str,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        num_classes: int,
        batch_size: int,
        precision: str,
    ):
        policy = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[precision]
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        self.model = new_model(model, images.shape[1:], num_classes)
        self.images, self.labels, self.batch_size = images, labels, batch_size
        fix_rounding()  # as training does
        self.schedule = Schedule(epochs=100, batch_size=batch_size)
        self.steps_per_epoch = len(labels) // batch_size
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
        """Batches as the model asks for them."""
        examples = self.images, self.labels
        shared = {"batch_size": self.batch_size, "value_range": VALUE_RANGE}
        return sampler(self.model, *examples)(*examples, **shared, **settings)

    def _steps(self) -> list[tuple]:
        batches = self._batches()
        return [batches[step] for step in range(self.steps_per_epoch)]

    def _tensorflow_batches(self):
        import tensorflow as tf

        arrays = keras.tree.map_structure(lambda *columns: np.stack(columns), *self._steps())
        dataset = tf.data.Dataset.from_tensor_slices(arrays).cache().repeat()
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
        return {part.name: part for part in parts if isinstance(part, keras.Sequential)}

    def config(self) -> dict[str, Any]:
        """What the twin must know."""
        shared = {
            "parameters": sum(int(np.prod(w.shape)) for w in self.model.trainable_weights),
            "learning_rate": self.schedule.learning_rate,
            "schedule_steps": self.schedule.epochs * self.steps_per_epoch,
        }
        if self.model.name == CLASSIFIER:
            shape = self.model.input_shape[1:]
            classes = self.model.output_shape[-1]
            sizes = {"image_shape": shape, "num_classes": classes, "width": WIDTH_OF_CLASSIFIER}
            return {**shared, **sizes}
        hyperparameters = {k: v for k, v in self.model.get_config().items() if k != "dtype"}
        return {
            **shared,
            **hyperparameters,
            "loss_weights": getattr(self.model, "loss_weights", {}),
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


def new_model(name: str, image_shape: Sequence[int], num_classes: int) -> keras.Model:
    """A model of the zoo with its default arguments, or the classifier."""
    if name == CLASSIFIER:
        return image_classifier(image_shape, num_classes, width=WIDTH_OF_CLASSIFIER)
    return build_model(name, {}, image_shape, num_classes)


def objective(name: str) -> dict[str, Any]:
    """What `compile` is told beside the optimizer; zoo models have a loss of their own."""
    if name in MODELS:
        return {}
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"loss": loss, "metrics": ["accuracy"]}


def reference_step(name: str, images: np.ndarray, labels: np.ndarray, classes: int) -> dict:
    """One step in float32 without dropout, eagerly: all that a twin has to match.

    Args:
        name: Key of `MODELS`, or `"classifier"`.
        images: `(batch, height, width, channels)` float32.
        labels: `(batch,)` integers.
        classes: Number of classes.

    Returns:
        `images`, `labels`; `weights` and `gradients`, lists of arrays; `noise`, the draws;
        `outputs` (without training) and `terms` of the loss, by name.
    """
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(1)
    model = new_model(name, images.shape[1:], classes)
    for layer in model.layers:
        layer.rate = 0.0 if isinstance(layer, keras.layers.Dropout) else None
    model.compile(keras.optimizers.SGD(GRADIENT_SCALE), run_eagerly=True, **objective(name))
    weights = model.get_weights()
    before = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    with mock.patch.object(keras.random, "normal", RecordedNoise()):
        outputs = model(images, training=False)
    with mock.patch.object(keras.random, "normal", RecordedNoise()) as noise:
        terms = model.train_on_batch(images, labels, return_dict=True)
    after = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    return {
        "images": images,
        "labels": labels,
        "weights": weights,
        "gradients": [(a - b) / GRADIENT_SCALE for a, b in zip(before, after, strict=True)],
        "noise": noise.draws,
        "outputs": {k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()},
        "terms": {k: np.asarray(v) for k, v in terms.items()},
    }


class RecordedNoise:
    """Stands in for `keras.random.normal` and keeps what it gave out."""

    def __init__(self):
        self.generator, self.draws = np.random.default_rng(0), []

    def __call__(self, shape, **kwargs):
        draw = self.generator.normal(size=tuple(int(s) for s in shape)).astype(np.float32)
        self.draws.append(draw)
        return keras.ops.convert_to_tensor(draw)
