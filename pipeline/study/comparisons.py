"""Means over seeds, and paired differences of arms with their confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: The mean.
        spread: Standard deviation over seeds; None for one seed.
        half_width: Half the width of the 95 % confidence interval of the mean; None for one seed.
        seeds: Number of seeds.
    """

    mean: float
    spread: float | None
    half_width: float | None
    seeds: int

    @property
    def excludes_zero(self) -> bool:
        """Whether zero is outside the interval."""
        return self.half_width is not None and abs(self.mean) > self.half_width


def estimate(values: Sequence[float]) -> Estimate:
    """Estimates a mean with Student's confidence interval.

    Args:
        values: One figure per seed, at least one.

    Raises:
        ValueError: `values` is empty.
    """
    found = np.asarray(values, np.float64)
    if not len(found):
        raise ValueError(
            "There is nothing to compare. Expected: a figure for one seed or more. Received: none. "
            "Finish a run of both arms."
        )
    if len(found) == 1:
        return Estimate(float(found[0]), None, None, 1)
    spread = float(found.std(ddof=1))
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, len(found) - 1))
    return Estimate(float(found.mean()), spread, quantile * spread / len(found) ** 0.5, len(found))


def paired_difference(arm: dict[int, float], other: dict[int, float]) -> Estimate:
    """Estimates the difference of an arm and another over the seeds that both have.

    Args:
        arm: Figures by seed.
        other: Figures by seed of another arm, which saw the same real examples with the same seed.

    Raises:
        ValueError: The arms have no seed in common.
    """
    return estimate([arm[seed] - other[seed] for seed in sorted(arm.keys() & other.keys())])
