"""Planning: makes a plan from anchors and a recipe, and lists the factors it will know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment.anchors import Anchors
from latentloom.augment.cells import Clashes, Targets
from latentloom.augment.donors import DonorBank
from latentloom.augment.latents import LatentSpec
from latentloom.augment.options import Option
from latentloom.augment.origins import Request
from latentloom.augment.plan import VariantPlan
from latentloom.augment.recipes import find_recipe

__all__ = ["known_factors", "plan_variants"]


def plan_variants(
    recipe: str,
    anchors: Anchors,
    spec: LatentSpec,
    *,
    seed: int,
    attempt: int = 0,
    donors: DonorBank | None = None,
    options: Mapping[str, Option] | None = None,
    clashes: Clashes | None = None,
) -> VariantPlan:
    """Plans the variants of some anchors.

    A variant's plan depends on seed, recipe, anchor id, variant index, attempt and donor bank, and
    on nothing else: not on the other anchors, their order or how they are batched.

    Args:
        recipe: A name in `RECIPES`.
        anchors: The anchors and how many variants each gets.
        spec: The blocks of their latents.
        seed: Integer, the seed of the run.
        attempt: Integer, 0 for the first try, then 1, 2, ...: the same variants drawn anew.
        donors: The bank that donors come from, if the recipe needs one.
        options: Options of the recipe; None for its defaults.
        clashes: Values of two factors that do not go together, from `find_clashes`.

    Returns:
        The plan, variants of an anchor next to each other.

    Raises:
        ValueError: If recipe or options are unknown, or donors are missing.
    """
    chosen = find_recipe(recipe)
    resolved = chosen.resolve(options)
    if attempt < 0:
        raise ValueError(
            f"The attempt at recipe '{recipe}' is out of range. Expected: attempt >= 0. Received: "
            f"attempt={attempt}. Count attempts from 0."
        )
    plan = VariantPlan.keep_all(recipe, anchors, spec, seed=seed, attempt=attempt)
    return chosen.rule(plan, Request(anchors, seed, attempt, donors, resolved, clashes))


def known_factors(
    recipe: str,
    spec: LatentSpec,
    factors: Sequence[str],
    options: Mapping[str, Option] | None = None,
    grid: Sequence[str] = (),
) -> tuple[str, ...]:
    """Returns the factors whose values are known for every variant of a recipe.

    Args:
        recipe: A name in `RECIPES`.
        spec: The blocks.
        factors: Names of the factors of the examples, `label` among them.
        options: Options of the recipe; None for its defaults.
        grid: Names of the factors of its cells, if the recipe fills cells.

    Returns:
        Their names, in the order of `factors`.

    Raises:
        ValueError: If recipe, options and spec do not fit together.
    """
    none, no_keys = np.empty(0, np.int64), np.empty(0, np.uint64)
    columns = dict.fromkeys(factors, none)
    targets = Targets(dict.fromkeys(grid, none), no_keys, none) if grid else None
    empty = {block.name: np.empty((0, block.dim), np.float32) for block in spec}
    bank = DonorBank.build([], columns, empty, seed=0, capacity=1)
    anchors = Anchors([], columns, none, targets)
    plan = plan_variants(recipe, anchors, spec, seed=0, donors=bank, options=options)
    return tuple(plan.factors)
