"""Training batches from arrays, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

import functools
import hashlib
import math

import keras
import numpy as np


def scale_pixels(images: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Scales `uint8` pixels linearly to float32 in `value_range`."""
    low, high = value_range
    return images.astype(np.float32) * np.float32((high - low) / 255.0) + np.float32(low)


class Batches(keras.utils.PyDataset):
    """Batches of scaled images and labels over some epochs; works on every Keras backend.

    Batch `i` is a function of the seed and of `i` alone, so that a run that starts again at a
    later epoch sees what an unbroken run would have seen, however far Keras reads ahead.

    Args:
        images: `(n, height, width, channels)` uint8, `n` at least 1.
        labels: `(n,)` integers.
        batch_size: Integer, examples a batch; the last batch of an epoch holds what is left.
        value_range: Pair of floats, smallest and largest value of an observation.
        seed: Integer, or `None` to keep the order of the arrays.
        epochs: Range of epochs to go through.
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
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self.images, self.labels = images, labels.astype(np.int32)
        self.batch_size, self.value_range = batch_size, value_range
        self.seed, self.epochs = seed, epochs
        self.steps_per_epoch = math.ceil(len(labels) / batch_size)

    def __len__(self) -> int:
        return self.steps_per_epoch * len(self.epochs)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, step = divmod(index, self.steps_per_epoch)
        order = epoch_order(len(self.labels), self.seed, self.epochs[epoch])
        rows = order[step * self.batch_size : (step + 1) * self.batch_size]
        return scale_pixels(self.images[rows], self.value_range), self.labels[rows]


@functools.lru_cache(maxsize=4)
def epoch_order(num_examples: int, seed: int | None, epoch: int) -> np.ndarray:
    """Order of the examples in an epoch: a keyed permutation, or none without a seed."""
    if seed is None:
        return np.arange(num_examples)
    digest = hashlib.blake2b(f"{seed}/batches/{epoch}".encode(), digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))
    return generator.permutation(num_examples)
