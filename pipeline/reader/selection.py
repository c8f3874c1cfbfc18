"""Selects records of a data set directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.manifest import CONFIDENCE, Manifest

RECIPE = "recipe"


@dataclass(frozen=True)
class Selection:
    """Selects generated records; all by default.

    Args:
        recipes: Recipes to keep; all if empty.
        min_confidence: Least probability of the class by the judge, in `[0, 1]`.
    """

    recipes: tuple[str, ...] = ()
    min_confidence: float = 0.0

    def __post_init__(self):
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(
                "The confidence is out of range. Expected: min_confidence in 0 to 1. Received: "
                f"min_confidence={self.min_confidence}. Pass a probability."
            )

    @property
    def wants_all(self) -> bool:
        """Whether it selects every record."""
        return not self.recipes and self.min_confidence == 0

    def accepts(self, record: Mapping[str, Any]) -> bool:
        """Returns whether it selects a record, given as features by name."""
        if self.recipes and record[RECIPE] not in self.recipes:
            return False
        return self.min_confidence == 0 or record[CONFIDENCE] >= self.min_confidence

    def check(self, manifest: Manifest) -> None:
        """Rejects a selection on real examples, which have no recipe and no confidence.

        Raises:
            ValueError: If the directory holds real examples and the selection is not empty.
        """
        if manifest.kind == "generated" or self.wants_all:
            return
        raise ValueError(
            f"The records of '{manifest.name}' are real. Expected: generated records, which have "
            "a recipe and the judge's confidence. Received: recipes="
            f"{list(self.recipes)}, min_confidence={self.min_confidence}. Leave both out."
        )
