"""Training batches from arrays, in an order that depends only on the seed and the epoch."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
from collections.abc import Iterator, Mapping

import keras
import numpy as np

from latentloom.model_zoo.backend.devices import accelerators, num_replicas
from latentloom.model_zoo.scaling import PIXELS, Scaling
from latentloom.model_zoo.training.deformations import Deformations

Factors = np.ndarray | Mapping[str, np.ndarray]
"""Value indices of every factor, `(n,)` integers each, including "label"; or only the labels."""


def labels_of(factors: Factors) -> np.ndarray:
    """Returns the labels, `(n,)`."""
    return factors["label"] if isinstance(factors, Mapping) else factors


def factors_of(factors: Factors) -> Mapping[str, np.ndarray]:
    """Returns the factors by name; plain labels become the factor "label"."""
    return factors if isinstance(factors, Mapping) else {"label": factors}


class Batches(keras.utils.PyDataset):
    """Batches of scaled observations and labels over a range of epochs, for every Keras backend.

    A batch depends only on the seed, the epoch and the step. So a resumed run sees the same batches
    as an uninterrupted one, however far Keras reads ahead.

    Args:
        observations: `(n, ...)` observations as stored, `n` at least 1.
        labels: `(n,)` integers, or `(n, factors)`.
        batch_size: Integer, examples a batch; the last batch of an epoch may be smaller.
        value_range: Pair of floats, smallest and largest value of an observation.
        seed: Integer, or `None` to keep the order of the arrays.
        epochs: Range of epochs to iterate over.
        first_step: Integer, the step of the first epoch to begin with.
        divisor: Integer that divides the size of every batch: the number of devices.
        steps_divisor: Integer that divides the number of batches an epoch. The remainder of this
            and of `divisor` is dropped; with a seed, each epoch drops other examples.
        most_steps: Integer, largest number of batches an epoch; all by default. Other examples are
            left out in each epoch.
        scaling: Maps stored observations to the range of the model; defaults to uint8 images.
        deformations: Deforms the images, in each epoch differently; none by default.

    Raises:
        ValueError: There are too few examples for a step.
    """

    def __init__(
        self,
        observations: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        value_range: tuple[float, float],
        seed: int | None = None,
        epochs: range = range(1),
        first_step: int = 0,
        divisor: int = 1,
        steps_divisor: int = 1,
        most_steps: int | None = None,
        scaling: Scaling = PIXELS,
        deformations: Deformations | None = None,
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self.observations, self.labels = observations, labels.astype(np.int32)
        self.batch_size, self.value_range = batch_size - batch_size % divisor, value_range
        self.seed, self.epochs, self.scaling = seed, epochs, scaling
        self.deformations, self.first_step = deformations, first_step
        self.usable = len(labels) - len(labels) % divisor
        steps = math.ceil(self.usable / self.batch_size) if self.batch_size else 0
        steps = min(steps, max(most_steps or steps, steps_divisor))
        self.steps_per_epoch = steps - steps % steps_divisor
        if not self.steps_per_epoch:
            raise ValueError(
                "There are too few examples for a step. Expected: a batch for each of "
                f"{divisor} devices and {steps_divisor} steps an epoch. Received: "
                f"examples={len(labels)}, batch_size={batch_size}. Change `train.batch_size`, or "
                "lower `train.devices` or `train.steps_per_execution`."
            )

    def __len__(self) -> int:
        return self.steps_per_epoch * len(self.epochs) - self.first_step

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        position = self.position(index)
        rows = self.rows(*position)
        return self.observe(self.observations[rows], position), self.labels[rows]

    def observe(self, stored: np.ndarray, position: tuple[int, int]) -> np.ndarray:
        """Deforms and scales stored observations for the model, as float32."""
        observed = stored.astype(np.float32)
        if self.deformations:
            observed = self.deformations(observed, self.generator("deformations", *position))
        return self.scaling.to_model(observed, self.value_range)

    def generator(self, purpose: str, epoch: int, step: int) -> np.random.Generator:
        """Returns the random generator for one purpose at one step."""
        return keyed_generator(f"{self.seed}/{purpose}/{epoch}/{step}")

    def position(self, index: int) -> tuple[int, int]:
        """Returns epoch and step of a batch."""
        epoch, step = divmod(index + self.first_step, self.steps_per_epoch)
        return self.epochs[epoch], step

    def rows(self, epoch: int, step: int) -> np.ndarray:
        """Returns the positions of the examples of a batch."""
        order = epoch_order(len(self.labels), self.seed, epoch)
        return order[: self.usable][step * self.batch_size : (step + 1) * self.batch_size]


class Feed(keras.utils.PyDataset):
    """Batches for one call of `fit`.

    Keeps the error that a backend wraps in one of its own. Lets go of the batches after the call,
    since TensorFlow 2.21 keeps the generators that `fit` makes of a data set for good.

    Args:
        batches: The batches.
    """

    def __init__(self, batches: keras.utils.PyDataset):
        super().__init__(workers=1, use_multiprocessing=False)
        self.batches: keras.utils.PyDataset | None = batches
        self.error: Exception | None = None

    def __len__(self) -> int:
        return len(self.batches) if self.batches else 0

    def __getitem__(self, index: int):
        if self.batches is None:
            raise IndexError(
                "The call that these batches served is over. Expected: batches within `in_use`. "
                f"Received: index={index}. Make another `Feed`."
            )
        try:
            return self.batches[index]
        except Exception as error:
            self.error = error
            raise

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Raises the error of a batch itself where the block fails because of it."""
        try:
            yield
        except Exception:
            if self.error is None:
                raise
            raise self.error from None
        finally:
            self.batches = None


def fed_to_device(batches: keras.utils.PyDataset, device: str | None = None):
    """Prefetches batches to the accelerator while it trains on the batch before.

    Keras already does so on JAX, and TensorFlow when it divides a batch among devices.

    Args:
        batches: The batches.
        device: Name of the device; defaults to the first accelerator.

    Returns:
        A `tf.data.Dataset`; or `batches` on JAX, on several devices or without an accelerator.
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
    """Order of the examples in an epoch: a keyed permutation, or unchanged without a seed."""
    if seed is None:
        return np.arange(num_examples)
    return keyed_generator(f"{seed}/batches/{epoch}").permutation(num_examples)


def keyed_generator(key: str) -> np.random.Generator:
    """Returns a random generator that depends only on a key."""
    digest = hashlib.blake2b(key.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))
