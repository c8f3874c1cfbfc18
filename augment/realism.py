"""The gate for realism: refuses what is unlike real examples, at a rate of false refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from latentloom.augment.gate import Verdicts

__all__ = ["REALISM_CHECKS", "RealismGate"]

REALISM_CHECKS: dict[str, tuple[str, tuple[int, ...]]] = {
    "distance": ("unlike_real", (1,)),
    "gradient": ("wrong_detail", (-1, 1)),
    "fineness": ("wrong_detail", (-1, 1)),
    "density": ("unlikely_code", (-1,)),
}
"""By statistic: the reason of a refusal, and the sides that are refused, -1 below and 1 above."""


@dataclass(frozen=True)
class RealismGate:
    """Refuses variants with a statistic outside the range of held-out real examples.

    Args:
        bounds: Least and largest value by statistic, keys of `REALISM_CHECKS`.

    Example:
        >>> held_out = {"gradient": np.arange(100.0)}
        >>> RealismGate.calibrated(held_out, 0.04).bounds
        {'gradient': (2.0, 97.0)}
    """

    bounds: Mapping[str, tuple[float, float]]

    @classmethod
    def calibrated(cls, held_out: Mapping[str, np.ndarray], false_refusals: float) -> RealismGate:
        """Chooses the bounds that together refuse a share of held-out real examples.

        Every side of every statistic refuses as many of them, so that none is stricter.

        Args:
            held_out: By statistic floats of shape `(n,)`, row by row of the same examples.
            false_refusals: Float in `[0, 1)`, largest share of them that the gate refuses.

        Raises:
            ValueError: There are no examples, or the share is out of range.
        """
        sides = [(name, side) for name in held_out for side in REALISM_CHECKS[name][1]]
        number = min((len(column) for column in held_out.values()), default=0)
        if not number or not 0 <= false_refusals < 1:
            raise ValueError(
                "The gate for realism cannot be calibrated. Expected: held-out real examples and 0 "
                f"<= false_refusals < 1. Received: {number} examples, "
                f"false_refusals={false_refusals}. Pass some, and a share of them to refuse."
            )
        extremes = np.stack([side * held_out[name] for name, side in sides], axis=1)
        limits = _limits(extremes, false_refusals)
        bounds = {name: (-np.inf, np.inf) for name in held_out}
        for (name, side), limit in zip(sides, limits.tolist(), strict=True):
            least, largest = bounds[name]
            bounds[name] = (-limit, largest) if side < 0 else (least, limit)
        return cls(bounds)

    def judge(self, verdicts: Verdicts, statistics: Mapping[str, np.ndarray]) -> Verdicts:
        """Adds the reasons of realism to the verdicts on the class, which go first.

        Args:
            verdicts: What the quality gate decided, on `n` variants.
            statistics: By statistic floats of shape `(n,)`; the keys of `bounds` among them.

        Returns:
            The verdicts of both gates, with `realistic`.
        """
        failures: dict[str, np.ndarray] = {}
        for name, (least, largest) in self.bounds.items():
            reason, values = REALISM_CHECKS[name][0], statistics[name]
            outside = ~((least <= values) & (values <= largest))  # NaN is outside
            failures[reason] = failures.get(reason, np.zeros_like(outside)) | outside
        return verdicts.refined(failures)


def _limits(extremes: np.ndarray, share: float) -> np.ndarray:
    """Largest value of each column that passes, so that a share of the rows fails in any column.

    Where there are fewer rows than the share of a column resolves, the quantile of a normal
    distribution counts if it is larger.
    """
    number, num_columns = extremes.shape
    ordered = np.sort(extremes, axis=0)
    pairs = zip(ordered.T, extremes.T, strict=True)
    ranks = [number - np.searchsorted(column, own, side="right") for column, own in pairs]
    first = np.sort(np.min(ranks, axis=0))  # at which rank of a column a row fails
    limits = ordered[number - 1 - first[int(share * number)]]
    if number * share >= num_columns:
        return limits
    quantile = NormalDist().inv_cdf(1 - max(share / num_columns, 1e-9))
    spread = extremes.std(axis=0) * np.sqrt((number + 1) / max(number - 1, 1))  # of a new row
    return np.maximum(limits, extremes.mean(axis=0) + quantile * spread)
