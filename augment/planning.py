"""Planning: makes a plan from anchors and a recipe, and lists the factors it will know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment.anchors import Anchors
from latentloom.augment.cells import Clashes, Targets
from latentloom.augment.donors import DonorBank
from latentloom.augment.latents import LatentSpec
from latentloom.augment.options import Option
from latentloom.augment.origins import Request
from latentloom.augment.plan import FROM_ANCHOR, FROM_DONOR, VariantPlan
from latentloom.augment.recipes import find_recipe

__all__ = ["BlocksRead", "blocks_read", "known_factors", "plan_variants"]


@dataclass(frozen=True)
class BlocksRead:
    """The blocks that the variants of a recipe take from examples, in the order of the code.

    Args:
        anchors: Names of the blocks of anchors.
        donors: Names of the blocks of donors.
    """

    anchors: tuple[str, ...] = ()
    donors: tuple[str, ...] = ()


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
    return tuple(_example_of(recipe, spec, factors, options, grid).factors)


def blocks_read(
    recipe: str,
    spec: LatentSpec,
    factors: Sequence[str],
    options: Mapping[str, Option] | None = None,
    grid: Sequence[str] = (),
) -> BlocksRead:
    """Returns the blocks that the variants of a recipe take from anchors and donors.

    Only these must be encoded. Takes the arguments of `known_factors` and raises its errors.
    """
    plan = _example_of(recipe, spec, factors, options, grid)
    return BlocksRead(plan.blocks_from(FROM_ANCHOR), plan.blocks_from(FROM_DONOR))


def _example_of(
    recipe: str,
    spec: LatentSpec,
    factors: Sequence[str],
    options: Mapping[str, Option] | None,
    grid: Sequence[str],
) -> VariantPlan:
    """Plans one variant of a made-up anchor; of two donors, one has the same values."""
    first, both = np.zeros(1, np.int64), np.arange(2)
    targets = Targets(dict.fromkeys(grid, first), np.zeros(1, np.uint64), first) if grid else None
    codes = {block.name: np.zeros((2, block.dim), np.float32) for block in spec}
    columns = dict.fromkeys(factors, both)
    bank = DonorBank.build(["same", "other"], columns, codes, seed=0, capacity=1)
    anchors = Anchors(["anchor"], dict.fromkeys(factors, first), np.ones(1, np.int64), targets)
    return plan_variants(recipe, anchors, spec, seed=0, donors=bank, options=options)
