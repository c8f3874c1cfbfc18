"""One measured number with the context to judge it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from latentloom.model_zoo.metrics.shares import balanced_accuracy, wilson_interval

FEWEST = 5
"""Fewest real examples that an accuracy is measured on: of four, guessing between two classes gets
all right once in 16 times, more often than 5 %."""
MANY = 1000
"""Fewest examples that support four decimals; fewer support two, in steps of 0.01."""


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
        n: Number of examples that were measured, or None if it was not recorded.
        anchors: Number of anchors of these examples, if they are variants. Variants of one anchor
            resemble each other, so the interval counts anchors.
        classes: Number of classes, or of values of the factor, among the examples.
        interval: Low and high end of the 95 % interval of a share (Wilson).
        balanced: Mean of the accuracies of the classes, where these are not equally large.
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
    n: int | None = None
    anchors: int | None = None
    classes: int | None = None
    interval: Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)] | None = None
    balanced: FiniteFloat | None = None

    @classmethod
    def of_share(
        cls,
        hits: np.ndarray,
        classes: np.ndarray | None = None,
        anchors: np.ndarray | None = None,
        *,
        fewest: int = 1,
        **described: Any,
    ) -> Measure:
        """Measures a share of examples, with its 95 % interval.

        Args:
            hits: `(n,)` bool, whether each example counts, or the part of it in `[0, 1]` that does.
            classes: `(n,)` integers, the class of each example, for an accuracy.
            anchors: `(n,)` integers, the anchor of each example, for variants.
            fewest: Fewest examples, or anchors of variants; with fewer the value is None.
            **described: Name, key, chance and the other fields that describe the figure.
        """
        independent = len(hits) if anchors is None else len(np.unique(anchors))
        told = {
            "n": len(hits),
            "anchors": None if anchors is None else independent,
            "classes": None if classes is None else len(np.unique(classes)),
        }
        if independent < fewest:
            return cls(value=None, **told, **described)
        share = float(np.mean(hits))
        return cls(
            value=share,
            interval=list(wilson_interval(share, independent)),
            balanced=None if classes is None else balanced_accuracy(hits, classes),
            **told,
            **described,
        )

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
    def decimals(self) -> int:
        """Number of decimals that the examples support."""
        return 2 if self.n is not None and self.n < MANY else 4

    @property
    def percent(self) -> str:
        """The value of a share in percent, for sentences."""
        return "an unmeasured share" if self.value is None else f"{self.value:.1%}"

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
