"""Matching: which donor each variant gets.

The variants of an anchor walk through the pool of its donors, from a start and with a stride that
are keyed by the anchor. The stride is coprime to the size of the pool, so a walk meets every donor
before it meets one again.
"""

from __future__ import annotations

import numpy as np

from augment.donors import DonorBank
from augment.plan import Anchors, VariantPlan
from augment.randomness import integers

__all__ = ["match_donors", "walk"]

_GOLDEN = 0.618  # multiples of it, modulo 1, stay far from each other
_START, _STRIDE = range(2)


def match_donors(
    plan: VariantPlan,
    anchors: Anchors,
    donors: DonorBank,
    keys: np.ndarray,
    *,
    attempt: int,
    same_class: bool,
) -> np.ndarray:
    """Finds a donor for each variant, never the anchor itself.

    Variants of an anchor have different donors as long as the pool lasts, and so have the attempts
    at a variant.

    Args:
        plan: The variants, `V` of them.
        anchors: The anchors of the plan, `n` of them.
        donors: The bank.
        keys: uint64 of shape `(n,)`: key of each anchor's walk.
        attempt: Integer, at least 0.
        same_class: Whether donors have the class of their anchor or another one.

    Returns:
        int64 of shape `(V,)`: rows of the bank.

    Raises:
        ValueError: If there is no donor for an anchor.
    """
    if not len(plan):
        return np.empty(0, np.int64)
    own = donors.rows_of(anchors.ids)[plan.anchor]
    offsets, sizes, skipped = (np.zeros(len(plan), np.int64) for _ in range(3))
    pools: list[np.ndarray] = []
    pool_of = donors.pool if same_class else donors.pool_of_others
    for label in np.unique(plan.label):
        variants = np.flatnonzero(plan.label == label)
        pool = pool_of("label", label)
        place = np.searchsorted(pool, own[variants])  # of the anchor, if it is in the pool
        is_own = np.append(pool, -2)[place] == own[variants]  # -1 is no row, -2 is no anchor's
        if (len(pool) - is_own < 1).any():
            anchor = anchors.ids[int(plan.anchor[variants[np.argmax(is_own)]])]
            is_full = len(pool) == donors.capacity
            raise _no_donor(plan.recipe, anchor, label, pool, is_full, same_class=same_class)
        offsets[variants] = sum(map(len, pools))
        sizes[variants] = len(pool) - is_own
        skipped[variants] = np.where(is_own, place, len(pool))
        pools.append(pool)
    places = walk(keys[plan.anchor], sizes, plan.variant, attempt)
    places += places >= skipped
    return np.concatenate(pools)[offsets + places]


def walk(keys: np.ndarray, sizes: np.ndarray, steps: np.ndarray, attempt: int) -> np.ndarray:
    """Goes some steps on keyed walks through `range(size)`.

    Args:
        keys: uint64 of shape `(n,)`, not empty: equal keys go the same way.
        sizes: Integers of shape `(n,)`, at least 1: how many places there are.
        steps: Integers of shape `(n,)`: `size` steps in turn meet every place once.
        attempt: Integer, at least 0. Attempts begin far from each other on the same walk; up to
            `size` of them have different places at the same step.

    Returns:
        int64 of shape `(n,)`: places in `[0, size)`.
    """
    kinds, kind = np.unique(sizes, return_inverse=True)
    coprimes = [np.flatnonzero(np.gcd(np.arange(size), size) == 1) for size in kinds]
    leaps = [c[np.argmin(np.abs(c - _GOLDEN * n))] for c, n in zip(coprimes, kinds, strict=True)]
    counts = np.array([len(choices) for choices in coprimes], np.int64)
    choices = integers(keys, counts[kind], stream=_STRIDE) + (np.cumsum(counts) - counts)[kind]
    strides = np.concatenate(coprimes)[choices]
    steps = (steps + attempt * np.array(leaps)[kind]) % sizes
    return (integers(keys, sizes, stream=_START) + strides * steps) % sizes


def _no_donor(
    recipe: str, anchor: str, label: int, pool: np.ndarray, is_full: bool, *, same_class: bool
) -> ValueError:
    if same_class:
        expected = f"another example of class {label}"
        fix = "Import more examples of this class or set its quota to 0."
        if is_full:
            fix = "Raise the capacity of the bank (`generate.donors_per_class`)."
    else:
        expected = f"an example of another class than {label}"
        fix = "Import examples of other classes or set the option `same_class` to 1."
    return ValueError(
        f"Recipe '{recipe}' found no donor for anchor '{anchor}' of class {label}. Expected: "
        f"{expected}. Received: a pool of {len(pool)} examples. {fix}"
    )
