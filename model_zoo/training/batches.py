"""Training batches from arrays, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping

import keras
import numpy as np

from latentloom.model_zoo.backend.devices import accelerators, num_replicas
from latentloom.model_zoo.scaling import PIXELS, Scaling
from latentloom.model_zoo.training.deformations import Deformations

Factors = np.ndarray | Mapping[str, np.ndarray]
"""Codes of every factor, `(n,)` integers each, "label" among them; or the labels alone."""


def labels_of(factors: Factors) -> np.ndarray:
    """The labels, `(n,)`."""
    return factors["label"] if isinstance(factors, Mapping) else factors


def factors_of(factors: Factors) -> Mapping[str, np.ndarray]:
    """The factors by name; bare labels are the factor "label"."""
    return factors if isinstance(factors, Mapping) else {"label": factors}


class Batches(keras.utils.PyDataset):
    """Batches of scaled observations and labels over some epochs; works on every Keras backend.

    Batch `i` is a function of the seed and of `i` alone, so that a run that starts again at a
    later epoch sees what an unbroken run would have seen, however far Keras reads ahead.

    Args:
        images: `(n, ...)` observations as they are stored, `n` at least 1.
        labels: `(n,)` integers, or `(n, factors)`.
        batch_size: Integer, examples a batch; the last batch of an epoch holds what is left.
        value_range: Pair of floats, smallest and largest value of an observation.
        seed: Integer, or `None` to keep the order of the arrays.
        epochs: Range of epochs to go through.
        divisor: Integer that divides the size of every batch, for as many devices.
        steps_divisor: Integer that divides the number of batches an epoch. What is over, for this
            or for `divisor`, is left out, in each epoch other examples.
        scaling: How observations become what the network sees; uint8 images by default.
        deformations: Deforms the images, each time anew; none by default.

    Raises:
        ValueError: Nothing would be left.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        value_range: tuple[float, float],
        seed: int | None = None,
        epochs: range = range(1),
        divisor: int = 1,
        steps_divisor: int = 1,
        scaling: Scaling = PIXELS,
        deformations: Deformations | None = None,
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self.images, self.labels = images, labels.astype(np.int32)
        self.batch_size, self.value_range = batch_size - batch_size % divisor, value_range
        self.seed, self.epochs, self.scaling = seed, epochs, scaling
        self.deformations = deformations
        self.usable = len(labels) - len(labels) % divisor
        steps = math.ceil(self.usable / self.batch_size) if self.batch_size else 0
        self.steps_per_epoch = steps - steps % steps_divisor
        if not self.steps_per_epoch:
            raise ValueError(
                "There are too few examples for a step. Expected: a batch for each of "
                f"{divisor} devices and {steps_divisor} steps an epoch. Received: "
                f"examples={len(labels)}, batch_size={batch_size}. Change `train.batch_size`, or "
                "lower `train.devices` or `train.steps_per_execution`."
            )

    def __len__(self) -> int:
        return self.steps_per_epoch * len(self.epochs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        position = self.position(index)
        rows = self.rows(*position)
        return self.observe(self.images[rows], position), self.labels[rows]

    def observe(self, stored: np.ndarray, position: tuple[int, int]) -> np.ndarray:
        """Observations as the model sees them, float32, of observations as they are stored."""
        observed = stored.astype(np.float32)
        if self.deformations:
            observed = self.deformations(observed, self.generator("deformations", *position))
        return self.scaling.to_model(observed, self.value_range)

    def generator(self, purpose: str, epoch: int, step: int) -> np.random.Generator:
        """Source of the draws for one purpose at one step."""
        return keyed_generator(f"{self.seed}/{purpose}/{epoch}/{step}")

    def position(self, index: int) -> tuple[int, int]:
        """Epoch and step of a batch."""
        epoch, step = divmod(index, self.steps_per_epoch)
        return self.epochs[epoch], step

    def rows(self, epoch: int, step: int) -> np.ndarray:
        """Positions of the examples of a batch."""
        order = epoch_order(len(self.labels), self.seed, epoch)
        return order[: self.usable][step * self.batch_size : (step + 1) * self.batch_size]


def fed_to_device(batches: keras.utils.PyDataset, device: str | None = None):
    """The same batches, copied to the accelerator while the one before is trained on.

    Keras does that by itself on JAX, and TensorFlow when a batch is divided among devices.

    Args:
        batches: The batches.
        device: Name of the device, by default the accelerator if there is exactly one replica.

    Returns:
        A `tf.data.Dataset`, or `batches` where nothing is to be done.
    """
    if keras.backend.backend() != "tensorflow" or num_replicas() > 1:
        return batches
    device = device or next(iter(accelerators()), None)
    if device is None:
        return batches
    import tensorflow as tf

    dataset = tf.data.Dataset.from_generator(
        lambda: (batches[index] for index in range(len(batches))),
        output_signature=tf.nest.map_structure(
            lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), batches[0]
        ),
    )
    return dataset.apply(tf.data.experimental.prefetch_to_device(f"/{device}", buffer_size=2))


@functools.lru_cache(maxsize=4)
def epoch_order(num_examples: int, seed: int | None, epoch: int) -> np.ndarray:
    """Order of the examples in an epoch: a keyed permutation, or none without a seed."""
    if seed is None:
        return np.arange(num_examples)
    return keyed_generator(f"{seed}/batches/{epoch}").permutation(num_examples)


def keyed_generator(key: str) -> np.random.Generator:
    """Source of draws that depend on a key alone."""
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))
