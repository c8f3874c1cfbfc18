"""Recipes: named rules that turn anchors into a plan of variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np

from augment.donors import DonorBank
from augment.latents import LatentSpec
from augment.plan import Anchors, Source, VariantPlan
from augment.randomness import integers, uniforms
from augment.spelling import nearest

__all__ = ["RECIPES", "Recipe", "find_recipe", "plan_variants"]

Assign = Callable[[VariantPlan, Anchors, DonorBank | None, Mapping[str, float]], VariantPlan]


@dataclass(frozen=True)
class Recipe:
    """A named way to make variants.

    Args:
        name: Its name in configs and records.
        summary: What it makes, in one line.
        needs_donors: Whether it takes blocks from a donor bank.
        assign: Turns a plan that keeps every block into the plan of the recipe.
        keeps_all: Whether every block is kept, and with them every factor of the anchor.
        options: Its options with their defaults. Defaults to none.
        check: Raises ValueError for options that do not go together.
    """

    name: str
    summary: str
    needs_donors: bool
    assign: Assign
    keeps_all: bool = False
    options: dict[str, float] = field(default_factory=dict)
    check: Callable[[Mapping[str, float]], None] | None = None

    def resolve(self, options: Mapping[str, float] | None = None) -> dict[str, float]:
        """Fills in the defaults and checks the options.

        Args:
            options: Values by name; None for all defaults.

        Returns:
            Every option of the recipe.

        Raises:
            ValueError: If an option is unknown, not a finite number or out of range.
        """
        for name, value in (options or {}).items():
            if name not in self.options:
                raise ValueError(
                    f"Recipe '{self.name}' has no option '{name}'. Expected: one of "
                    f"{sorted(self.options)}. Received: {name}={value}. "
                    f"{nearest(name, self.options)}"
                )
            if not isfinite(value):
                raise ValueError(
                    f"Recipe '{self.name}' needs numbers. Expected: a finite `{name}`. Received: "
                    f"{name}={value}. Leave it out to get {self.options[name]}."
                )
        resolved = self.options | dict(options or {})
        if self.check:
            self.check(resolved)
        return resolved


def plan_variants(
    recipe: str,
    anchors: Anchors,
    spec: LatentSpec,
    *,
    seed: int,
    attempt: int = 0,
    donors: DonorBank | None = None,
    options: Mapping[str, float] | None = None,
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

    Returns:
        The plan, variants of an anchor next to each other.

    Raises:
        ValueError: If recipe or options are unknown, or donors are missing.
    """
    chosen = find_recipe(recipe)
    resolved = chosen.resolve(options)
    if attempt < 0:
        raise ValueError(
            f"Recipe '{recipe}' cannot be planned. Expected: attempt >= 0. Received: "
            f"attempt={attempt}. Count attempts from 0."
        )
    plan = VariantPlan.keep_all(recipe, anchors, spec, seed=seed, attempt=attempt)
    return chosen.assign(plan, anchors, donors, resolved)


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of a name; ValueError names the nearest if there is none."""
    if name not in RECIPES:
        raise ValueError(
            f"There is no recipe '{name}'. Expected: one of {sorted(RECIPES)}. Received: "
            f"recipe={name!r}. {nearest(name, RECIPES)}"
        )
    return RECIPES[name]


def _free_blocks(spec: LatentSpec) -> list[str]:
    """Returns the blocks that may change without changing the class."""
    return [block.name for block in spec if "label" not in block.factors]


def _keep(
    plan: VariantPlan, anchors: Anchors, donors: DonorBank | None, options: Mapping[str, float]
) -> VariantPlan:
    return plan


def _sample(
    plan: VariantPlan, anchors: Anchors, donors: DonorBank | None, options: Mapping[str, float]
) -> VariantPlan:
    sampled = {n: np.full(len(plan), Source.PRIOR, np.int8) for n in _free_blocks(plan.spec)}
    return replace(plan, sources=plan.sources | sampled)


def _interpolate(
    plan: VariantPlan, anchors: Anchors, donors: DonorBank | None, options: Mapping[str, float]
) -> VariantPlan:
    bank = _checked_bank(plan, donors)
    low, high = options["low"], options["high"]
    sources, rows, weights = dict(plan.sources), dict(plan.donors), dict(plan.weights)
    for name in _free_blocks(plan.spec):
        keys = plan.block_keys(name)
        share = low + (high - low) * uniforms(keys, 1)[:, 0]
        sources[name] = np.full(len(plan), Source.MIX, np.int8)
        rows[name] = _same_class_donors(keys, plan, anchors, bank)
        weights[name] = share.astype(np.float32)
    return replace(plan, sources=sources, donors=rows, weights=weights)


def _same_class_donors(
    keys: np.ndarray, plan: VariantPlan, anchors: Anchors, donors: DonorBank
) -> np.ndarray:
    """Draws a bank row of the anchor's class for each variant, never the anchor's own."""
    own = donors.rows_of(anchors.ids)[plan.anchor]
    rows = np.empty(len(plan), np.int64)
    for label in np.unique(plan.label):
        variants = np.flatnonzero(plan.label == label)
        pool = donors.pool("label", label)
        is_own = np.isin(own[variants], pool)
        if (len(pool) - is_own < 1).any():
            lonely = anchors.ids[int(plan.anchor[variants[np.argmax(is_own)]])]
            raise ValueError(
                f"Recipe '{plan.recipe}' found no donor for anchor '{lonely}'. Expected: another "
                f"example of class {label}. Received: a pool of {len(pool)} examples. Import more "
                "examples of this class or set its quota to 0."
            )
        choice = integers(keys[variants], len(pool) - is_own)
        choice += is_own & (choice >= np.searchsorted(pool, own[variants]))  # step over itself
        rows[variants] = pool[choice]
    return rows


def _check_share_range(options: Mapping[str, float]) -> None:
    low, high = options["low"], options["high"]
    if not 0 <= low <= high <= 1:
        raise ValueError(
            "The donor's share is out of range. Expected: 0 <= low <= high <= 1. Received: "
            f"low={low}, high={high}. Pass shares, in order."
        )


def _checked_bank(plan: VariantPlan, donors: DonorBank | None) -> DonorBank:
    if donors is None:
        raise ValueError(
            f"Recipe '{plan.recipe}' needs donors. Expected: a donor bank. Received: donors=None. "
            "Build one with `DonorBank.build`."
        )
    plan.spec.check(donors.latents)
    return donors


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="class_preserving",
            summary="Keeps the blocks that carry the class, draws the others from their prior.",
            needs_donors=False,
            assign=_sample,
        ),
        Recipe(
            name="reconstruct",
            summary="Keeps every block: what the model makes of the anchor itself.",
            needs_donors=False,
            assign=_keep,
            keeps_all=True,
        ),
        Recipe(
            name="interpolate_zu",
            summary="Keeps the blocks that carry the class, interpolates the others to a donor's.",
            needs_donors=True,
            assign=_interpolate,
            options={"low": 0.25, "high": 0.75},
            check=_check_share_range,
        ),
    )
}
"""The recipes by name."""
