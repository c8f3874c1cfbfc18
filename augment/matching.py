"""Matching: which donor each variant gets.

The variants of an anchor walk through the pool of its donors; the key of the anchor sets start and
stride. The variants of a cell walk through the pool of each value of the cell; the key of the cell
sets start and stride. The stride is coprime to the size of the pool, so a walk meets every donor
before it meets one again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentloom.augment.anchors import Anchors
from latentloom.augment.cells import Clashes
from latentloom.augment.donors import DonorBank
from latentloom.augment.plan import VariantPlan
from latentloom.augment.randomness import integers

__all__ = ["match_donors", "match_other_values", "match_values", "walk_places", "walk_pool"]

_GOLDEN = 0.618  # multiples of it, modulo 1, stay far from each other
_START, _STRIDE = range(2)


def match_donors(
    plan: VariantPlan,
    anchors: Anchors,
    donors: DonorBank,
    keys: np.ndarray,
    *,
    attempt: int,
    same_value: bool,
    factor: str = "label",
    clashes: Clashes | None = None,
) -> np.ndarray:
    """Finds a donor for each variant, never the anchor itself.

    Variants of an anchor have different donors as long as the pool lasts; so do the attempts at a
    variant.

    Args:
        plan: The variants, `V` of them.
        anchors: The anchors of the plan, `n` of them.
        donors: The bank.
        keys: uint64 of shape `(n,)`: key of each anchor's walk.
        attempt: Integer, at least 0.
        same_value: Whether donors have the anchor's value of the factor or another one.
        factor: Name of the factor. Defaults to the class.
        clashes: Values that do not go together. Skips donors whose value of the factor clashes with
            a value that the anchor keeps.

    Returns:
        int64 of shape `(V,)`: rows of the bank.

    Raises:
        ValueError: If there is no donor for an anchor.
    """
    own = donors.rows_of(anchors.ids)
    rows = np.empty(len(plan), np.int64)
    pool_of = donors.pool if same_value else donors.pool_of_others
    values = anchors.factors[factor][plan.anchor]
    for value in np.unique(values).tolist():
        variants = np.flatnonzero(values == value)
        pool, anchor = pool_of(factor, value), plan.anchor[variants]
        allowed = pool != own[anchor, None]  # -1 matches no row
        allowed &= without_clashes(anchors, anchor, factor, donors.factors[factor][pool], clashes)
        if not (found := allowed.any(axis=1)).all():
            lonely = anchors.ids[int(anchor[np.argmin(found)])]
            is_full = len(pool) == donors.capacity
            raise _no_donor(
                plan.recipe, lonely, factor, value, pool, is_full, same_value=same_value
            )
        rows[variants] = walk_pool(pool, keys[anchor], plan.variant[variants], attempt, allowed)
    return rows


def match_other_values(
    plan: VariantPlan,
    anchors: Anchors,
    known: np.ndarray,
    keys: np.ndarray,
    factor: str,
    clashes: Clashes | None = None,
) -> np.ndarray:
    """Finds another value of a factor for each variant, the same at every attempt.

    The variants of an anchor take the values in turn.

    Args:
        plan: The variants, `V` of them.
        anchors: The anchors of the plan, `n` of them.
        known: int64 of shape `(m,)`: the values to choose from.
        keys: uint64 of shape `(n,)`: key of each anchor's walk.
        factor: Name of the factor.
        clashes: Values that do not go together. Skips values that clash with a value that the
            anchor keeps.

    Returns:
        int64 of shape `(V,)`.

    Raises:
        ValueError: If there is no other value for an anchor.
    """
    own = anchors.factors[factor][plan.anchor]
    allowed = known != own[:, None]
    allowed &= without_clashes(anchors, plan.anchor, factor, known, clashes)
    if not (found := allowed.any(axis=1)).all():
        lonely = anchors.ids[int(plan.anchor[np.argmin(found)])]
        raise ValueError(
            f"Recipe '{plan.recipe}' found no other value of '{factor}' for anchor '{lonely}'. "
            f"Expected: two values or more that its prior can draw. Received: {known.tolist()}. "
            "Train the bundle with examples of another value."
        )
    if not len(plan):
        return own
    return walk_pool(known, keys[plan.anchor], plan.variant, 0, allowed)


def without_clashes(
    anchors: Anchors,
    rows: np.ndarray,
    factor: str,
    values: np.ndarray,
    clashes: Clashes | None,
) -> np.ndarray:
    """Returns which values of a factor go with what anchors keep.

    Args:
        anchors: The anchors.
        rows: int64 of shape `(n,)`: rows of anchors.
        factor: Name of the factor.
        values: int64 of shape `(m,)`: values of it.
        clashes: Values that do not go together, or None.

    Returns:
        bool of shape `(n, m)`.
    """
    allowed = np.ones((len(rows), len(values)), bool)
    for (mine, other), table in (clashes or {}).items():
        if mine == factor:
            allowed &= ~table[values][:, anchors.factors[other][rows]].T
    return allowed


def match_values(
    donors: DonorBank,
    factor: str,
    values: np.ndarray,
    keys: np.ndarray,
    steps: np.ndarray,
    attempt: int,
    allowed: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Finds an example of a given value for each row.

    Args:
        donors: The bank.
        factor: Name of the factor.
        values: int64 of shape `(n,)`: the value that each row needs.
        keys: uint64 of shape `(n,)`: key of each row's walk.
        steps: int64 of shape `(n,)`: how far each row goes on its walk.
        attempt: Integer, at least 0.
        allowed: Takes rows and a pool, returns the allowed pairs, bool of shape `(rows, pool)`;
            None allows all pairs.

    Returns:
        int64 of shape `(n,)`: rows of the bank.

    Raises:
        ValueError: If a row finds no example.
    """
    found = np.empty(len(values), np.int64)
    for value in np.unique(values).tolist():
        rows, pool = np.flatnonzero(values == value), donors.pool(factor, value)
        fits = allowed(rows, pool) if allowed else None
        if not len(pool) or (fits is not None and not fits.any(axis=1).all()):
            raise ValueError(
                f"No example can give value {value} of factor '{factor}'. Expected: one that goes "
                f"with the other values of the cell. Received: a pool of {len(pool)} examples. "
                "Import more examples of this value, or leave its cells out."
            )
        found[rows] = walk_pool(pool, keys[rows], steps[rows], attempt, fits)
    return found


def walk_pool(
    pool: np.ndarray,
    keys: np.ndarray,
    steps: np.ndarray,
    attempt: int,
    allowed: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the members that keyed walks through a pool reach.

    Args:
        pool: int64 of shape `(m,)`, not empty.
        keys: uint64 of shape `(n,)`, not empty: equal keys walk the same way.
        steps: int64 of shape `(n,)`.
        attempt: Integer, at least 0.
        allowed: bool of shape `(n, m)`: members on each walk, at least one per row; None for all.

    Returns:
        int64 of shape `(n,)`: members of the pool.
    """
    if allowed is None:
        return pool[walk_places(keys, np.full(len(keys), len(pool)), steps, attempt)]
    ranks = np.cumsum(allowed, axis=1)
    places = walk_places(keys, ranks[:, -1], steps, attempt)
    return pool[np.argmax(ranks > places[:, None], axis=1)]


def walk_places(keys: np.ndarray, sizes: np.ndarray, steps: np.ndarray, attempt: int) -> np.ndarray:
    """Returns the places that keyed walks through `range(size)` reach.

    Args:
        keys: uint64 of shape `(n,)`, not empty: equal keys walk the same way.
        sizes: Integers of shape `(n,)`, at least 1: number of places.
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
    recipe: str,
    anchor: str,
    factor: str,
    value: int,
    pool: np.ndarray,
    is_full: bool,
    *,
    same_value: bool,
) -> ValueError:
    kind = "class" if factor == "label" else f"{factor}"
    if same_value:
        expected = f"another example of {kind} {value}"
        fix = f"Import more examples of this {kind} or set its quota to 0."
        if is_full:
            fix = "Raise the capacity of the bank (`generate.donors_per_class`)."
    else:
        expected = f"an example of another {kind} than {value}"
        fix = f"Import examples of another {kind}"
        fix += " or set the option `same_class` to 1." if factor == "label" else "."
    return ValueError(
        f"Recipe '{recipe}' found no donor for anchor '{anchor}' of {kind} {value}. Expected: "
        f"{expected}. Received: a pool of {len(pool)} examples. {fix}"
    )
