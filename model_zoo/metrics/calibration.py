"""Whether a classifier is right as often as it is sure."""

from __future__ import annotations

import numpy as np

BINS = 10


def reliability(confidence: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
    """Confidence and share right in ten equal bins of confidence.

    Args:
        confidence: `(n,)` probabilities.
        right: `(n,)` whether what is this sure is right.

    Returns:
        `counts`, `confidence` and `right`, `(10,)` each; the means of an empty bin are 0.
    """
    places = np.clip((np.asarray(confidence) * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = (np.bincount(places, weights=x, minlength=BINS) for x in (confidence, right))
    means = [total / np.maximum(counts, 1) for total in sums]
    return {"counts": counts, "confidence": means[0], "right": means[1]}


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean distance of confidence and share right over bins, weighted by what is in them.

    Reference:
        Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599, equation 3 (ECE), ten bins.

    Raises:
        ValueError: There is nothing to measure.
    """
    if not len(confidence):
        raise ValueError(
            "There is no confidence to check. Expected: one or more. Received: none. Give some."
        )
    bins = reliability(confidence, right)
    gaps = np.abs(bins["confidence"] - bins["right"])
    return float(np.sum(bins["counts"] * gaps) / len(confidence))
