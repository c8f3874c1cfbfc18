"""Factors measured from pixels: low, middle and high thirds of the training images."""

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

    The thirds are of all training images, not of each class. So a value depends on the pixels
    alone: it means the same in every class, as recombination needs, and a generated image of
    uncertain class has a value too. The price: classes differ in the share of each value. On MNIST
    every class has images of every value of all three attributes; the rarest value of a class is
    "high" width, 191 of 60,000 images.

    Attributes:
        limits: The two limits of each attribute, in its unit. `middle` begins at the first, `high`
            at the second.
    """

    limits: dict[str, tuple[float, float]]

    @classmethod
    def fit(cls, measured: Mapping[str, np.ndarray]) -> Terciles:
        """Finds the limits.

        Args:
            measured: Values of each attribute in the training images, `(n,)`.

        Raises:
            ValueError: If so many images share a value of an attribute that a third is empty.
        """
        limits = {}
        for name, values in measured.items():
            low, high = (float(limit) for limit in np.quantile(values, [1 / 3, 2 / 3]))
            counts = np.bincount(_code(values, (low, high)), minlength=len(VALUES))
            if not counts.all():
                raise ValueError(
                    f"The attribute '{name}' has an empty third. Expected: training images of low, "
                    f"middle and high {name}. Received: {counts.tolist()} images, limits {low:g} "
                    f"and {high:g}. Leave it out of --measure."
                )
            limits[name] = (low, high)
        return cls(limits)

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> Terciles:
        """Reads the limits from the details of a manifest; empty if nothing was measured."""
        return cls(ImportedDetails.read(details).terciles)

    def to_details(self) -> dict[str, Any]:
        """Returns the limits as details of a manifest."""
        return ImportedDetails(terciles=self.limits).model_dump(mode="json", exclude_unset=True)

    def codes(self, name: str, measured: np.ndarray) -> np.ndarray:
        """Returns the positions in `VALUES` of measured values, int64 of the same shape."""
        return _code(measured, self.limits[name])


def _code(measured: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return np.searchsorted(limits, measured, side="right").astype(np.int64)
