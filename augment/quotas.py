"""Quotas: how many variants each class, shard and anchor gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from latentloom.augment.spelling import nearest

__all__ = [
    "STRATEGIES",
    "share_out",
    "share_out_classes",
    "variants_per_anchor",
    "variants_per_class",
]

_INT64 = int(np.iinfo(np.int64).max)
STRATEGIES = ("auto", "minority")
"""Names of the balancing strategies; a strategy can also be None or a mapping."""


def variants_per_class(
    strategy: None | str | Mapping[str, int],
    class_counts: Mapping[str, int],
    variants_per_example: int,
) -> dict[str, int]:
    """Decides how many variants each class gets.

    Args:
        strategy: None for `variants_per_example` times the class' count; `"auto"` to bring every
            class up to the largest; `"minority"` to bring only the smallest class (the first of
            several) up to the largest; or `{class: n}` for exactly `n` variants of that class and
            none of the others.
        class_counts: Examples by class name.
        variants_per_example: Integer, at least 0. Used if the strategy is None.

    Returns:
        Variants by class name, in the order of `class_counts`.

    Raises:
        ValueError: If the strategy or a class is unknown, a number is negative, or a class that
            needs variants has no example.

    Example:
        >>> variants_per_class("auto", {"cat": 5, "dog": 3}, 0)
        {'cat': 0, 'dog': 2}
    """
    _check_counts("variants_per_example", [variants_per_example])
    _check_counts("class_counts", class_counts.values())
    largest = max(class_counts.values(), default=0)
    if strategy is None:
        quotas = {name: variants_per_example * count for name, count in class_counts.items()}
    elif isinstance(strategy, Mapping):
        _check_counts("strategy", strategy.values())
        for name in strategy:
            _check_known("class", name, class_counts)
        quotas = {name: int(strategy.get(name, 0)) for name in class_counts}
    else:
        _check_known("strategy", strategy, STRATEGIES)
        raised = class_counts.keys()
        if strategy == "minority":
            raised = sorted(class_counts, key=lambda name: class_counts[name])[:1]
        quotas = {n: largest - c if n in raised else 0 for n, c in class_counts.items()}
    _check_reachable(quotas, class_counts)
    return quotas


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
    _check_counts("total", [total])
    _check_counts("shard_counts", shard_counts)
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
    _check_counts("total", [total])
    _check_examples(total, len(keys))
    if not len(keys):
        return np.zeros(0, np.int64)
    share, remainder = divmod(total, len(keys))
    variants = np.full(len(keys), share, np.int64)
    variants[np.argsort(keys, kind="stable")[:remainder]] += 1
    return variants


def _check_counts(name: str, values: Iterable[int]) -> None:
    for value in values:
        if isinstance(value, bool) or value != int(value) or value < 0:
            raise ValueError(
                f"A quota needs whole numbers. Expected: {name} >= 0, without a fraction. "
                f"Received: {name}={value}. Pass 0 for none."
            )


def _check_known(kind: str, name: str, choices: Iterable[str]) -> None:
    if name not in choices:
        raise ValueError(
            f"A quota names an unknown {kind}. Expected: one of {sorted(choices)}. Received: "
            f"{kind}={name!r}. {nearest(name, choices)}"
        )


def _check_reachable(quotas: Mapping[str, int], class_counts: Mapping[str, int]) -> None:
    for name, quota in quotas.items():
        if quota and not class_counts[name]:
            raise ValueError(
                f"Class '{name}' has a quota but no example. Expected: an example of "
                f"each class with a quota. Received: quota={quota}. Import examples of it or set "
                "its quota to 0."
            )


def _check_examples(total: int, num_examples: int) -> None:
    if total and not num_examples:
        raise ValueError(
            "A class has a quota but no example. Expected: one example or more. "
            f"Received: total={total}. Import examples of it or set its quota to 0."
        )
