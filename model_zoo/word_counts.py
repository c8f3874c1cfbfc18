"""Whole numbers of words from expected ones, without random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

_SEED = 20
_TURNS = 8.0
"""Most turns that one expected word adds to the phase of its document."""


def round_counts(expected: Any) -> Any:
    """Rounds the expected counts of every document so that the total and the rare words stay.

    Plain rounding keeps the few most likely words of a document alone. This is systematic sampling:
    the words lie along a line in a fixed, mixed order, each as long as its expected count, and a
    word gets as many as the marks, one apart, that fall on it. So every count is the expected one
    rounded up or down. Where the first mark lies, the *phase*, is read from the expected counts
    themselves: over many documents it is uniform, so that no word is favoured by its place in the
    order, and yet equal codes give equal documents. It is continuous, so that what another kind of
    CPU computes a little otherwise is seldom rounded otherwise.

    Reference:
        Madow & Madow, On the theory of systematic sampling, Annals of Mathematical Statistics 1944.
        Deviates: the phase is a fixed function of the expected counts, not drawn.

    Args:
        expected: `(batch, words)` float32 tensor of counts, at least 0.

    Returns:
        `(batch, words)` int32; the total of a document is that of the expected ones rounded, and at
        least 1.
    """
    from keras import ops

    order, back, turns = _layout(expected.shape[-1])
    lengths = ops.take(ops.cast(expected, "float64"), order, axis=-1)
    total = ops.sum(lengths, axis=-1, keepdims=True)
    whole = ops.maximum(ops.floor(total + 0.5), 1.0)
    lengths = lengths * (whole / ops.maximum(total, 1e-30))
    phase = ops.sum(lengths * turns, axis=-1, keepdims=True)
    phase = phase - ops.floor(phase)
    marks = ops.floor(ops.cumsum(lengths, axis=-1) + phase)
    # The last mark is set: a sum of many numbers may end a little below the total.
    marks = ops.concatenate([0 * whole, ops.minimum(marks[:, :-1], whole), whole], axis=-1)
    counts = ops.take(marks[:, 1:] - marks[:, :-1], back, axis=-1)
    return ops.cast(counts, "int32")


def _layout(num_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order of the words along the line, the way back, and what each adds to the phase."""
    generator = np.random.Generator(np.random.Philox(_SEED))
    order = generator.permutation(num_words)
    turns = _TURNS * generator.random(num_words)
    return order.astype(np.int32), np.argsort(order).astype(np.int32), turns
