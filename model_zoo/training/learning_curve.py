"""Extrapolates a learning curve by a power law: the loss falls with a power of the steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

USUAL_EXPONENT = 0.5
"""Exponent where a history is too short to tell one."""
LEAST_FACTOR, MOST_FACTOR = 2.0, 20.0
"""Bounds of the factor on the steps: a power law tells nothing far beyond its data."""


def decay_exponent(losses: Sequence[float]) -> float:
    """Exponent `c` of `loss ~ epoch**-c`, by least squares on the later half of a history.

    Args:
        losses: Validation loss of every epoch, in order.

    Returns:
        At least 0; `USUAL_EXPONENT` for fewer than three epochs or losses that are not above 0.
    """
    best = np.minimum.accumulate(np.asarray(losses, np.float64))
    if len(best) < 3 or best[-1] <= 0:
        return USUAL_EXPONENT
    epochs = np.log(np.arange(1, len(best) + 1))
    later = slice(min(len(best) // 2, len(best) - 3), None)
    slope = np.polyfit(epochs[later], np.log(best[later]), 1)[0]
    return max(0.0, -float(slope))


def steps_factor(error: float, wanted: float, exponent: float) -> float:
    """Factor on the steps after which an error that falls by a power law is as small as wanted.

    Args:
        error: Error now, above 0.
        wanted: Smaller error, above 0.
        exponent: Exponent of the power law; 0 for a flat curve.

    Returns:
        In `[LEAST_FACTOR, MOST_FACTOR]`.
    """
    logarithm = min(np.log(error / wanted) / max(exponent, 1e-6), np.log(2 * MOST_FACTOR))
    return float(np.clip(np.exp(logarithm), LEAST_FACTOR, MOST_FACTOR))
