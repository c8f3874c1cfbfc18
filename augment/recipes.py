"""Recipes: named rules that turn anchors into a plan of variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite

from augment import rules
from augment.donors import DonorBank
from augment.latents import LatentSpec
from augment.plan import Anchors, VariantPlan
from augment.spelling import nearest

__all__ = ["RECIPES", "Recipe", "find_recipe", "plan_variants"]


@dataclass(frozen=True)
class Recipe:
    """A named way to make variants.

    Args:
        name: Its name in configs and records.
        summary: What it makes, in one line.
        needs_donors: Whether it takes blocks from a donor bank.
        rule: Turns a plan that keeps every block into the plan of the recipe.
        keeps_all: Whether every block is kept, and with them every factor of the anchor.
        options: Its options with their defaults. Defaults to none.
        check: Raises ValueError for options that do not go together.
    """

    name: str
    summary: str
    needs_donors: bool
    rule: Callable[[VariantPlan, rules.Request], VariantPlan]
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

    def donors_share_class(self, options: Mapping[str, float] | None = None) -> bool:
        """Tells whether its donors have the class of the anchor: all do, but for `same_class` = 0.

        Args:
            options: As for `resolve`.
        """
        return bool(self.needs_donors and self.resolve(options).get("same_class", 1.0))


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
    return chosen.rule(plan, rules.Request(anchors, seed, attempt, donors, resolved))


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of a name; ValueError names the nearest if there is none."""
    if name not in RECIPES:
        raise ValueError(
            f"There is no recipe '{name}'. Expected: one of {sorted(RECIPES)}. Received: "
            f"recipe={name!r}. {nearest(name, RECIPES)}"
        )
    return RECIPES[name]


def _check_share_range(options: Mapping[str, float]) -> None:
    low, high = options["low"], options["high"]
    if not 0 <= low <= high <= 1:
        raise ValueError(
            "The donor's share is out of range. Expected: 0 <= low <= high <= 1. Received: "
            f"low={low}, high={high}. Pass shares, in order."
        )


def _check_temperature(options: Mapping[str, float]) -> None:
    if options["temperature"] < 0:
        raise ValueError(
            "The temperature is out of range. Expected: temperature >= 0. Received: "
            f"temperature={options['temperature']}. Pass 1.0 for the prior itself."
        )


def _check_same_class(options: Mapping[str, float]) -> None:
    if options["same_class"] not in (0, 1):
        raise ValueError(
            "The choice of donors is unknown. Expected: same_class of 0 or 1. Received: "
            f"same_class={options['same_class']}. Pass 1 for donors of the anchor's class and 0 "
            "for donors of other classes."
        )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="class_preserving",
            summary="Keeps the blocks that carry the class, draws the others from their prior.",
            needs_donors=False,
            rule=rules.sample_free,
            options={"temperature": 1.0},
            check=_check_temperature,
        ),
        Recipe(
            name="sample_class",
            summary="Draws the blocks that carry the class from the prior of the anchor's class, "
            "the others from theirs.",
            needs_donors=False,
            rule=rules.sample_all,
            options={"temperature": 1.0},
            check=_check_temperature,
        ),
        Recipe(
            name="swap_zu",
            summary="Keeps the blocks that carry the class, takes the others from a donor.",
            needs_donors=True,
            rule=rules.swap_free,
            options={"same_class": 0.0},
            check=_check_same_class,
        ),
        Recipe(
            name="interpolate_zu",
            summary="Keeps the blocks that carry the class, interpolates the others to a donor's.",
            needs_donors=True,
            rule=rules.interpolate_free,
            options={"low": 0.25, "high": 0.75},
            check=_check_share_range,
        ),
        Recipe(
            name="interpolate_class",
            summary="Interpolates the blocks that carry the class to a donor's, keeps the others.",
            needs_donors=True,
            rule=rules.interpolate_carriers,
            options={"low": 0.25, "high": 0.75},
            check=_check_share_range,
        ),
        Recipe(
            name="reconstruct",
            summary="Keeps every block: what the model makes of the anchor itself.",
            needs_donors=False,
            rule=rules.keep,
            keeps_all=True,
        ),
    )
}
"""The recipes by name."""
