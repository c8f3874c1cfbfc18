"""Bins of factors that are numbers: as many as asked for, or between given limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bins:
    """Bins between limits; a bin begins at its lower limit, and the last one has its upper too.

    Args:
        limits: The limits, ascending, one more than bins.
    """

    limits: tuple[float, ...]

    @property
    def names(self) -> list[str]:
        """The name of each bin."""
        texts = [number_text(limit) for limit in self.limits]
        return [f"{low} to {high}" for low, high in zip(texts, texts[1:], strict=False)]

    def code(self, value: float) -> int | None:
        """Returns the number of the bin of a value, or None outside the limits."""
        if not self.limits[0] <= value <= self.limits[-1]:
            return None
        place = int(np.searchsorted(self.limits, value, side="right")) - 1
        return min(place, len(self.limits) - 2)


@dataclass(frozen=True)
class AskedBins:
    """What `--bins` asks for a factor: limits, or a number of bins of like size.

    Args:
        number: Number of bins, or None.
        limits: The limits, or empty.
    """

    number: int | None
    limits: tuple[float, ...] = ()

    def fit(self, factor: str, values: Sequence[float]) -> Bins:
        """Returns the bins; limits that were not given are training values.

        Args:
            factor: Name of the factor, for the error.
            values: Its values in the training examples.

        Raises:
            ValueError: If so many values are equal that a bin would be empty.
        """
        if self.number is None:
            return Bins(self.limits)
        shares = np.linspace(0, 1, self.number + 1)
        method = "inverted_cdf"  # a limit is a value that occurs
        found = np.quantile(np.asarray(values), shares, method=method) if len(values) else shares
        limits = tuple(float(limit) for limit in found)
        if len(set(limits)) < len(limits) or not len(values):
            raise ValueError(
                f"Factor '{factor}' has an empty bin. Expected: {self.number} bins with training "
                f"examples. Received: limits {limits} of {len(values)} values. Ask for fewer, or "
                f"give limits: --bins {factor}=0,10,20."
            )
        return Bins(limits)


def parse_bins(texts: Iterable[str]) -> dict[str, AskedBins]:
    """Reads `FACTOR=3`, a number of bins, and `FACTOR=0,10,20`, their limits.

    Raises:
        ValueError: If a text is neither, or a factor stands twice.
    """
    asked: dict[str, AskedBins] = {}
    for text in texts:
        factor, _, rest = text.rpartition("=")
        limits = _numbers(rest)
        ascends = all(low < high for low, high in zip(limits, limits[1:], strict=False))
        is_number = len(limits) == 1 and limits[0].is_integer() and limits[0] >= 2
        is_limits = len(limits) > 1 and ascends and all(map(math.isfinite, limits))
        if not factor or factor in asked or not (is_number or is_limits):
            raise ValueError(
                "The bins of a factor are not understood. Expected: FACTOR=3 for three bins of "
                "like size, or FACTOR=0,10,20 for limits in order, each factor once. "
                f"Received: bins={text}. Write --bins AGE=3 or --bins AGE=0,10,20."
            )
        asked[factor] = AskedBins(int(limits[0])) if is_number else AskedBins(None, tuple(limits))
    return asked


def _numbers(text: str) -> list[float]:
    """Returns numbers between commas; none if one of them is no number."""
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        return []


def number_text(number: float) -> str:
    """Returns a number in its shortest form, whole ones without a point."""
    return str(int(number)) if float(number).is_integer() else repr(float(number))
