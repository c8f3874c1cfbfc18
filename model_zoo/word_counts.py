"""Whole numbers of words from expected ones, without random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

_SEED = 20
_MOST_TURNS = 8
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

    Lengths are whole numbers of `2 ** -b` words, b being 30 less the bits of the number of words
    (19 for 2,000), and sums of them exact: what order a backend adds in does not matter. A word
    expected less than half of that is left out.

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

    num_words = expected.shape[-1]
    order, back, turns = _layout(num_words)
    unit = 2 ** (30 - num_words.bit_length())
    words, parts = _fixed_point(expected, unit)
    total = ops.sum(words, axis=-1, keepdims=True)
    rest = ops.sum(parts, axis=-1, keepdims=True)
    total = ops.cast(total, "float32") + ops.cast(rest, "float32") / unit
    whole = ops.maximum(ops.floor(total + 0.5), 1.0)
    along = ops.take(expected, order, axis=-1) * (whole / ops.maximum(total, 1e-30))
    words, parts = _fixed_point(along, unit)
    phase = ops.sum(parts * turns % unit, axis=-1, keepdims=True) % unit
    marks = ops.cumsum(words, axis=-1) + (ops.cumsum(parts, axis=-1) + phase) // unit
    # The last mark is set: rounded lengths may end a little beside the total.
    whole = ops.cast(whole, "int32")
    marks = ops.concatenate([0 * whole, ops.minimum(marks[:, :-1], whole), whole], axis=-1)
    return ops.take(marks[:, 1:] - marks[:, :-1], back, axis=-1)


def _fixed_point(lengths: Any, unit: int) -> tuple[Any, Any]:
    """Whole words of every length, and how many parts of one word are left."""
    from keras import ops

    words = ops.floor(lengths)
    parts = ops.floor((lengths - words) * unit + 0.5)
    return ops.cast(words, "int32"), ops.cast(parts, "int32")


def _layout(num_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order of the words along the line, the way back, and the turns each adds to the phase.

    They are whole, so that the phase goes on where an expected count passes a whole number.
    """
    generator = np.random.Generator(np.random.Philox(_SEED))
    order = generator.permutation(num_words).astype(np.int32)
    turns = generator.integers(1, _MOST_TURNS + 1, num_words, dtype=np.int32)
    return order, np.argsort(order).astype(np.int32), turns
