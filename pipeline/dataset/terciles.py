"""Factors made of what is measured from pixels: low, middle and high thirds of training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.details import ImportedDetails

VALUES = ("low", "middle", "high")
"""Value names of a measured factor."""


@dataclass(frozen=True)
class Terciles:
    """Limits between the thirds of training images, by attribute.

    The thirds are those of all training images, not of each class. So a value depends on the
    pixels alone: it means the same in every class, which is what recombination needs, and a
    generated image whose class is in doubt has it, too. What it costs is that classes differ in
    the share of each value. On MNIST every class has images of every value of all three
    attributes; the fewest, 191 of 60,000, are wide ones.

    Attributes:
        limits: The two limits of each attribute, in its unit. `middle` begins at the first, `high`
            at the second.
    """

    limits: dict[str, tuple[float, float]]

    @classmethod
    def fit(cls, measured: Mapping[str, np.ndarray]) -> Terciles:
        """Finds the limits.

        Args:
            measured: Of each attribute what it is in the training images, `(n,)`.

        Raises:
            ValueError: So many images are alike in an attribute that a third of them has none.
        """
        limits = {}
        for name, values in measured.items():
            low, high = (float(limit) for limit in np.quantile(values, [1 / 3, 2 / 3]))
            counts = np.bincount(_code(values, (low, high)), minlength=len(VALUES))
            if not counts.all():
                raise ValueError(
                    f"The attribute '{name}' makes no thirds. Expected: training images of low, "
                    f"middle and high {name}. Received: {counts.tolist()} images, limits {low:g} "
                    f"and {high:g}. Leave it out of --measure."
                )
            limits[name] = (low, high)
        return cls(limits)

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> Terciles:
        """Reads them from the details of a manifest; none where nothing was measured."""
        return cls(ImportedDetails.read(details).terciles)

    def to_details(self) -> dict[str, Any]:
        """Returns what a manifest keeps of them."""
        return ImportedDetails(terciles=self.limits).model_dump(mode="json", exclude_unset=True)

    def codes(self, name: str, measured: np.ndarray) -> np.ndarray:
        """Positions in `VALUES` of what was measured of an attribute, int64 of its shape."""
        return _code(measured, self.limits[name])


def _code(measured: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.searchsorted(limits, measured, side="right").astype(np.int64)
