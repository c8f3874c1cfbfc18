"""Shares out the quota of a class over shards and anchors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

__all__ = [
    "check_counts",
    "share_out",
    "share_out_classes",
    "variants_per_anchor",
]

_INT64 = int(np.iinfo(np.int64).max)


def share_out(total: int, shard_counts: Sequence[int]) -> list[int]:
    """Splits a class' quota over shards in proportion to their examples of it.

    Rounds the cumulative shares, so the parts sum to the total exactly.

    Args:
        total: Integer, the quota. At least 0.
        shard_counts: Examples of the class in each shard.

    Returns:
        One part per shard; a shard without the class gets 0.

    Raises:
        ValueError: If a number is negative, or there is a quota but no example.

    Example:
        >>> share_out(10, [1, 0, 2])
        [3, 0, 7]
    """
    check_counts("total", [total])
    check_counts("shard_counts", shard_counts)
    num_examples = sum(shard_counts)
    _check_examples(total, num_examples)
    one_class = (np.array([count], object) for count in shard_counts)
    parts = share_out_classes(np.array([total]), np.array([num_examples], object), one_class)
    return [int(part[0]) for part in parts]


def share_out_classes(
    totals: np.ndarray, num_examples: np.ndarray, shard_counts: Iterable[np.ndarray]
) -> Iterator[np.ndarray]:
    """Splits the quotas of all classes over shards, as `share_out` does, a shard at a time.

    Args:
        totals: Integers of shape `(classes,)`, the quotas. At least 0.
        num_examples: Integers of shape `(classes,)`, the examples of each class in all shards.
        shard_counts: For each shard, its examples of each class, `(classes,)`.

    Yields:
        The parts of a shard, `(classes,)`.
    """
    totals, examples = np.asarray(totals), np.maximum(num_examples, 1)
    if 2 * (int(totals.max(initial=0)) + 1) * int(examples.max(initial=0)) > _INT64:
        totals, examples = totals.astype(object), examples.astype(object)
    sums, start = np.zeros_like(examples), np.zeros_like(examples)
    for counts in shard_counts:
        sums = sums + counts
        end = (2 * totals * sums + examples) // (2 * examples)
        yield end - start
        start = end


def variants_per_anchor(total: int, keys: np.ndarray) -> np.ndarray:
    """Splits a quota over anchors as evenly as possible.

    Args:
        total: Integer, variants to split. At least 0.
        keys: uint64 of shape `(m,)`; anchors with the smallest keys get the remainder.

    Returns:
        int64 of shape `(m,)` that sums to the total; entries differ by at most 1.

    Raises:
        ValueError: If the total is negative, or above 0 without anchors.
    """
    check_counts("total", [total])
    _check_examples(total, len(keys))
    if not len(keys):
        return np.zeros(0, np.int64)
    share, remainder = divmod(total, len(keys))
    variants = np.full(len(keys), share, np.int64)
    variants[np.argsort(keys, kind="stable")[:remainder]] += 1
    return variants


def check_counts(name: str, values: Iterable[int]) -> None:
    """Checks that numbers are whole and at least 0.

    Raises:
        ValueError: If one is not.
    """
    for value in values:
        if isinstance(value, bool) or value != int(value) or value < 0:
            raise ValueError(
                f"A quota needs whole numbers. Expected: {name} >= 0, without a fraction. "
                f"Received: {name}={value}. Pass 0 for none."
            )


def _check_examples(total: int, num_examples: int) -> None:
    if total and not num_examples:
        raise ValueError(
            "A class has a quota but no example. Expected: one example or more. "
            f"Received: total={total}. Import examples of it or set its quota to 0."
        )
