"""One measured number with the context to judge it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator


class Measure(BaseModel):
    """One measured number with the context to judge it.

    Args:
        name: Name of the figure for people.
        key: Name of the figure for programs: short, stable, and unique in a report, such as
            `"swap/own"`. Empty in reports and bundles that were written without keys.
        value: The number, or None if it was not measured.
        unit: Unit of the value, or None if it has none.
        spread: Standard deviation of the value over repetitions, or None.
        chance: Value that an uninformed method reaches, or None.
        threshold: Required value, or None.
        better: Whether `"higher"` or `"lower"` values are better.
        meaning: One sentence that explains the number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    key: str = ""
    value: int | float | None
    unit: str | None = None
    spread: float | None = None
    chance: float | None = None
    threshold: float | None = None
    better: Literal["higher", "lower"] = "higher"
    meaning: str = ""

    @model_validator(mode="after")
    def _finite(self) -> Measure:
        for field in ("value", "spread", "chance", "threshold"):
            number = getattr(self, field)
            if number is not None and not math.isfinite(number):
                raise ValueError(
                    f"Measure '{self.name}' is not finite. Expected: a finite {field}, or "
                    f"None for not measured. Received: {field}={number}. Pass None and say why in "
                    "the notes."
                )
        return self

    @property
    def is_met(self) -> bool | None:
        """Whether the value reaches the threshold; None if one of them is missing."""
        if self.value is None or self.threshold is None:
            return None
        if self.better == "higher":
            return self.value >= self.threshold
        return self.value <= self.threshold


def by_key(numbers: Iterable[Measure]) -> dict[str, Measure]:
    """Measures by their keys; skips measures without a key."""
    return {measure.key: measure for measure in numbers if measure.key}
