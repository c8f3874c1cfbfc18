"""Which records of a data set directory are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.manifest import CONFIDENCE, Manifest

RECIPE = "recipe"


@dataclass(frozen=True)
class Selection:
    """Asks of generated records; all are wanted by default.

    Args:
        recipes: Recipes that made them, all if empty.
        min_confidence: The judge's least probability of the class, in `[0, 1]`.
    """

    recipes: tuple[str, ...] = ()
    min_confidence: float = 0.0

    def __post_init__(self):
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(
                "No record can be that sure. Expected: min_confidence in 0 to 1. Received: "
                f"min_confidence={self.min_confidence}. Lower it."
            )

    @property
    def wants_all(self) -> bool:
        """Whether every record is wanted."""
        return not self.recipes and self.min_confidence == 0

    def accepts(self, record: Mapping[str, Any]) -> bool:
        """Whether a record, feature by feature, is wanted."""
        if self.recipes and record[RECIPE] not in self.recipes:
            return False
        return self.min_confidence == 0 or record[CONFIDENCE] >= self.min_confidence

    def check(self, manifest: Manifest) -> None:
        """Refuses to ask real examples what only generated ones say.

        Raises:
            ValueError: The directory holds real examples, and something is asked of them.
        """
        if manifest.kind == "generated" or self.wants_all:
            return
        raise ValueError(
            f"The records of '{manifest.name}' are real ones. Expected: generated ones, which have "
            "a recipe and the judge's confidence. Received: recipes="
            f"{list(self.recipes)}, min_confidence={self.min_confidence}. Leave both out."
        )
