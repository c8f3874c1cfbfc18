"""Recipes: named rules that turn anchors into a plan of variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from latentloom.augment import options as checks
from latentloom.augment import rules
from latentloom.augment.axes import traversed_axes, traversed_block
from latentloom.augment.latents import LatentSpec
from latentloom.augment.options import Option
from latentloom.augment.plan import VariantPlan
from latentloom.augment.spelling import nearest

__all__ = ["RECIPES", "Recipe", "find_recipe"]


@dataclass(frozen=True)
class Recipe:
    """A named way to make variants.

    Args:
        name: Its name in configs and records.
        summary: What it makes, in one line.
        needs_donors: Whether it takes blocks from a donor bank; see `takes_donors`.
        rule: Turns a plan that keeps every block into the plan of the recipe.
        keeps_all: Whether every block is kept, and with them every factor of the anchor.
        fills_cells: Whether its variants fill given cells instead of given classes.
        options: Its options with their defaults, numbers, texts, or True or False; an empty text
            marks a required option. Defaults to none.
        check: Raises `ValueError` for options that are out of range or do not fit together.
    """

    name: str
    summary: str
    needs_donors: bool
    rule: Callable[[VariantPlan, rules.Request], VariantPlan]
    keeps_all: bool = False
    fills_cells: bool = False
    options: dict[str, Option] = field(default_factory=dict)
    check: Callable[[Mapping[str, Option]], None] | None = None

    def resolve(self, options: Mapping[str, Option] | None = None) -> dict[str, Option]:
        """Fills in the defaults and checks the options.

        Args:
            options: Values by name; None for all defaults.

        Returns:
            Every option of the recipe.

        Raises:
            ValueError: If an option is unknown, missing, no number or out of range.
        """
        given = {name: self._spelt(name, value) for name, value in (options or {}).items()}
        for name, value in given.items():
            if name not in self.options:
                raise ValueError(
                    f"Recipe '{self.name}' has no option '{name}'. Expected: one of "
                    f"{sorted(self.options)}. Received: {name}={value}. "
                    f"{nearest(name, self.options)}"
                )
            self._check_kind(name, value)
        resolved = self.options | given
        if unset := [name for name, value in resolved.items() if value == ""]:
            raise ValueError(
                f"Recipe '{self.name}' misses the option `{unset[0]}`. Expected: a name. Received: "
                f"{unset[0]}=''. Set the option `{unset[0]}`."
            )
        if self.check:
            self.check(resolved)
        return resolved

    def takes_donors(self, options: Mapping[str, Option] | None = None) -> bool:
        """Whether its variants take blocks from donors; not if `guided` is off.

        Args:
            options: As for `resolve`.
        """
        if not self.needs_donors:
            return False
        resolved = self.resolve(options)
        return bool(resolved.get("guided", True)) or resolved.get("style") == "donor"

    def may_draw(self, factor: str, options: Mapping[str, Option] | None = None) -> bool:
        """Whether variants may have a value of a factor that none of their examples has.

        Args:
            factor: Name of the factor.
            options: As for `resolve`.
        """
        resolved = self.resolve(options)
        is_named = resolved.get("factor", factor) == factor and factor != "label"
        return is_named and not resolved.get("guided", True)

    def matched_by(self, options: Mapping[str, Option] | None = None) -> tuple[str, bool] | None:
        """Returns the factor that donors are matched by, and whether they share the anchor's value.

        Args:
            options: As for `resolve`.

        Returns:
            The factor, and True if donors have the anchor's value of it, False if another one. None
            for variants without donors or a recipe that fills cells.
        """
        if self.fills_cells or not self.takes_donors(options):
            return None
        resolved = self.resolve(options)
        if "factor" in resolved:
            return str(resolved["factor"]), bool(resolved.get("same_value", 0.0))
        return "label", bool(resolved.get("same_class", 1.0))

    def traversed(
        self, spec: LatentSpec, options: Mapping[str, Option] | None = None
    ) -> dict[str, np.ndarray]:
        """Returns the block that the variants move, and the axes they move along.

        Args:
            spec: The blocks.
            options: As for `resolve`.

        Returns:
            int64 of shape `(a,)` under the name of the block; empty if the recipe moves none.

        Raises:
            ValueError: If the options do not fit the blocks.
        """
        resolved = self.resolve(options)
        if "axes" not in resolved:
            return {}
        block = traversed_block(spec, str(resolved["block"]))
        return {block.name: traversed_axes(block, str(resolved["axes"]))}

    def _spelt(self, name: str, value: Option) -> Option:
        """Returns the value; turns a number into its digits, or into True or False."""
        default = self.options.get(name)
        if isinstance(default, bool) and value in (0, 1):
            return bool(value)
        if isinstance(value, str | bool) or not isinstance(default, str):
            return value
        return str(int(value) if float(value).is_integer() else value)

    def _check_kind(self, name: str, value: Option) -> None:
        default = self.options[name]
        is_switch, is_text = isinstance(default, bool), isinstance(default, str)
        if is_switch != isinstance(value, bool) or (is_text and not isinstance(value, str)):
            expected = "true or false" if is_switch else "a name" if is_text else "a number"
            raise ValueError(
                f"Option `{name}` of recipe '{self.name}' is of the wrong kind. Expected: "
                f"{expected}. Received: {name}={value}. Leave it out to get {default}."
            )
        if not is_text and (isinstance(value, str) or not isfinite(value)):
            raise ValueError(
                f"Recipe '{self.name}' needs numbers. Expected: a finite `{name}`. Received: "
                f"{name}={value}. Leave it out to get {default}."
            )


def find_recipe(name: str) -> Recipe:
    """Returns the recipe of a name; raises `ValueError` with the nearest name if it is unknown."""
    if name not in RECIPES:
        raise ValueError(
            f"There is no recipe '{name}'. Expected: one of {sorted(RECIPES)}. Received: "
            f"recipe={name!r}. {nearest(name, RECIPES)}"
        )
    return RECIPES[name]


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="class_preserving",
            summary="Keeps the blocks that carry the class, draws the others from their prior.",
            needs_donors=False,
            rule=rules.sample_free,
            options={"temperature": 1.0, "step": 1.0},
            check=checks.check_step,
        ),
        Recipe(
            name="sample_class",
            summary="Draws the blocks that carry the class from the prior of the anchor's class, "
            "the others from theirs.",
            needs_donors=False,
            rule=rules.sample_all,
            options={"temperature": 1.0},
            check=checks.check_temperature,
        ),
        Recipe(
            name="swap_zu",
            summary="Keeps the blocks that carry the class, takes the others from a donor.",
            needs_donors=True,
            rule=rules.swap_free,
            options={"same_class": 0.0},
            check=checks.check_same_class,
        ),
        Recipe(
            name="interpolate_zu",
            summary="Keeps the blocks that carry the class, interpolates the others to a donor's.",
            needs_donors=True,
            rule=rules.interpolate_free,
            options={"low": 0.25, "high": 0.75},
            check=checks.check_share_range,
        ),
        Recipe(
            name="interpolate_class",
            summary="Interpolates the blocks that carry the class to a donor's, keeps the others.",
            needs_donors=True,
            rule=rules.interpolate_carriers,
            options={"low": 0.25, "high": 0.75},
            check=checks.check_share_range,
        ),
        Recipe(
            name="recombine_factors",
            summary="Takes the blocks of each factor of a cell from a donor with the cell's value.",
            needs_donors=True,
            rule=rules.recombine_factors,
            fills_cells=True,
            options={"guided": True, "style": "anchor", "temperature": 1.0},
            check=checks.check_style,
        ),
        Recipe(
            name="swap_factor",
            summary="Takes the blocks that carry a factor from a donor with another value of it.",
            needs_donors=True,
            rule=rules.swap_factor,
            options={"factor": "", "guided": True, "temperature": 1.0},
            check=checks.check_temperature,
        ),
        Recipe(
            name="interpolate_factor",
            summary="Interpolates the blocks that carry a factor to a donor's, by default of equal "
            "value.",
            needs_donors=True,
            rule=rules.interpolate_factor,
            options={"factor": "", "same_value": 1.0, "low": 0.25, "high": 0.75},
            check=checks.check_interpolation,
        ),
        Recipe(
            name="traverse",
            summary="Moves one block along one of its axes per variant, keeps all else.",
            needs_donors=False,
            rule=rules.traverse,
            options={"block": "auto", "axes": "all", "least": 0.5, "extent": 2.0},
            check=checks.check_traversal,
        ),
        Recipe(
            name="reconstruct",
            summary="Keeps every block: the model's reconstruction of the anchor.",
            needs_donors=False,
            rule=rules.keep,
            keeps_all=True,
        ),
    )
}
"""The recipes by name."""
