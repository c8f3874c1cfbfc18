"""Rounds expected word counts to integers, without random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

_SEED = 20
_MOST_TURNS = 8
"""Largest number of turns that one expected word adds to the phase of its document."""


def round_counts(expected: Any) -> Any:
    """Rounds the expected counts of every document and keeps the total and the rare words.

    Plain rounding keeps only the few most likely words of a document. This is systematic sampling:
    the words lie along a line in a fixed, shuffled order, each as long as its expected count. Marks
    lie one word apart, and the count of a word is the number of marks that fall on it. So every
    count is the expected count rounded up or down. The position of the first mark, the *phase*, is
    a function of the expected counts. Over many documents it is uniform, so that no word gains by
    its place in the order, and equal codes still give equal documents. The phase is continuous, so
    that small numerical differences between CPUs seldom change a count.

    Lengths are multiples of `2 ** -b` words, where b is 30 minus the bits of the number of words
    (19 for 2,000). Their sums are exact in any order of addition. A word with an expected count
    below half of `2 ** -b` gets none.

    Reference:
        Madow & Madow, On the theory of systematic sampling, Annals of Mathematical Statistics 1944.
        Deviates: the phase is a fixed function of the expected counts, not drawn.

    Args:
        expected: `(batch, words)` float32 tensor of counts, at least 0.

    Returns:
        `(batch, words)` int32; the total of a document is its rounded expected total, at least 1.
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
    # The last mark is fixed, because rounded lengths may not sum to the total exactly.
    whole = ops.cast(whole, "int32")
    marks = ops.concatenate([0 * whole, ops.minimum(marks[:, :-1], whole), whole], axis=-1)
    return ops.take(marks[:, 1:] - marks[:, :-1], back, axis=-1)


def _fixed_point(lengths: Any, unit: int) -> tuple[Any, Any]:
    """Splits every length into whole words and the remaining parts of one word."""
    from keras import ops

    words = ops.floor(lengths)
    parts = ops.floor((lengths - words) * unit + 0.5)
    return ops.cast(words, "int32"), ops.cast(parts, "int32")


def _layout(num_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order of the words along the line, its inverse, and the turns each word adds to the phase.

    Turns are integers, so that the phase is continuous where an expected count crosses an integer.
    """
    generator = np.random.Generator(np.random.Philox(_SEED))
    order = generator.permutation(num_words).astype(np.int32)
    turns = generator.integers(1, _MOST_TURNS + 1, num_words, dtype=np.int32)
    return order, np.argsort(order).astype(np.int32), turns
