"""Heads of a classifier: one row of logits holds the predictions of several factors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import accumulate, pairwise

import keras
from keras import ops


def split_heads(logits, sizes: Sequence[int]) -> list:
    """Splits a row of logits by factor.

    Args:
        logits: `(batch, sum(sizes))`.
        sizes: Number of values of each factor.

    Returns:
        One tensor `(batch, size)` a factor.
    """
    return [logits[:, start:end] for start, end in pairwise(accumulate(sizes, initial=0))]


class HeadsCrossentropy(keras.losses.Loss):
    """Sum of the cross-entropies of all factors, in nats.

    Args:
        sizes: Number of values of each factor.
    """

    def __init__(self, sizes: Sequence[int]):
        super().__init__(name="heads_crossentropy")
        self.sizes = tuple(sizes)

    def call(self, y_true, y_pred):
        """Returns the loss of each example from indices `(batch, factors)` and logits."""
        crossentropy = keras.losses.sparse_categorical_crossentropy
        losses = [
            crossentropy(y_true[:, column], logits, from_logits=True)
            for column, logits in enumerate(split_heads(y_pred, self.sizes))
        ]
        return ops.sum(ops.stack(losses), axis=0)


def heads_accuracy(sizes: Sequence[int]) -> keras.metrics.Metric:
    """Returns the metric `accuracy`: the share of factors predicted correctly.

    Args:
        sizes: Number of values of each factor.
    """
    return keras.metrics.MeanMetricWrapper(
        functools.partial(_share_right, sizes=tuple(sizes)), name="accuracy"
    )


def _share_right(y_true, y_pred, sizes: tuple[int, ...]):
    read = ops.stack([ops.argmax(part, axis=-1) for part in split_heads(y_pred, sizes)], axis=1)
    return ops.mean(ops.cast(ops.equal(read, ops.cast(y_true, read.dtype)), "float32"), axis=-1)
