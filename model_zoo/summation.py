"""Sums that round alike in every graph."""

from __future__ import annotations

from collections.abc import Iterable

from keras import ops


def sum_in_order(scalars: Iterable):
    """Adds scalars up in their order.

    TensorFlow rewrites a chain of additions, and may order it otherwise when the same model is
    traced anew: the last bit of a logged loss then tells a broken run from an unbroken one.
    """
    return ops.sum(ops.stack(list(scalars)))
