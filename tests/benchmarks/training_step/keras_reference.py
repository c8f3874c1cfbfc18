"""One training step of a zoo model with everything in it, which its PyTorch twin has to match."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

import keras
import numpy as np
from training_step.keras_models import Examples, batches_for, new_model, objective

from latentloom.model_zoo.training.schedule import Schedule, optimizer

GRADIENT_SCALE = 1e4
LEARNT = 0.02
"""Standard deviation of what is added to all weights: biases of 0 would hide mistakes in them, and
leave scales without a gradient."""


def reference_step(
    name: str,
    args: Mapping[str, Any],
    examples: Examples,
    factor_sizes: Mapping[str, int],
    batch_size: int,
) -> dict[str, Any]:
    """One step in float32 without dropout, eagerly: all that a twin has to match.

    Args:
        name: Key of `MODELS`, or `"classifier"`.
        args: Arguments of the model.
        examples: Those that the batch and its partners come from.
        factor_sizes: Number of values of every factor.
        batch_size: Number of examples in the batch.

    Returns:
        `images` and `answers`, the batch; `weights`, `gradients` and `updates` by the optimizer of
        production, lists of arrays; `noise`, the draws; `outputs` (without training) and `terms`
        of the loss, by name.
    """
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(1)
    model = new_model(name, args, examples, factor_sizes)
    for layer in model.layers:
        layer.rate = 0.0 if isinstance(layer, keras.layers.Dropout) else None
    generator = np.random.default_rng(4)
    for weight in model.trainable_weights:
        weight.assign_add(generator.normal(0.0, LEARNT, weight.shape))
    images, answers = batches_for(model, examples, batch_size, batch_size)[0]
    with recorded_noise():
        outputs = model(images, training=False)
    outputs = outputs if isinstance(outputs, dict) else {"logits": outputs}
    step: dict[str, Any] = {"images": images, "answers": answers, "weights": model.get_weights()}
    step["outputs"] = {k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()}
    with recorded_noise() as step["noise"]:
        descent = keras.optimizers.SGD(GRADIENT_SCALE)
        step["terms"], moves = _step_by(model, descent, images, answers, **objective(name))
    step["gradients"] = [-move / GRADIENT_SCALE for move in moves]
    model.set_weights(step["weights"])
    with recorded_noise():
        production = optimizer(model, Schedule(epochs=1), steps_per_epoch=1)
        _, step["updates"] = _step_by(model, production, images, answers, **objective(name))
    return step


def _step_by(model, optimizer, images, answers, **objective):
    """Terms of the loss, and by how much a step moved every weight that is trained."""
    model.compile(optimizer, run_eagerly=True, **objective)
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    terms = model.train_on_batch(images, answers, return_dict=True)
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    terms = {name: np.asarray(value) for name, value in terms.items()}
    return terms, [a - b for a, b in zip(after, before, strict=True)]


@contextlib.contextmanager
def recorded_noise() -> Iterator[list[np.ndarray]]:
    """Has `keras.random` draw the same as ever, and keeps what it gives out, in order."""
    generator, draws = np.random.default_rng(0), []

    def give(draw: np.ndarray):
        draws.append(draw)
        return keras.ops.convert_to_tensor(draw)

    def normal(shape, **_):
        return give(generator.normal(size=_sides(shape)).astype(np.float32))

    def uniform(shape, **_):
        return give(generator.random(_sides(shape), np.float32))

    def randint(shape, minval, maxval, **_):
        return give(generator.integers(minval, maxval, _sides(shape), np.int32))

    with mock.patch.multiple(keras.random, normal=normal, uniform=uniform, randint=randint):
        yield draws


def _sides(shape) -> tuple[int, ...]:
    return tuple(int(side) for side in shape)
