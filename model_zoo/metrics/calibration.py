"""Calibration: whether the confidence of a classifier matches its accuracy, and how to make it."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

BINS = 10
TEMPERATURES = np.exp(np.linspace(np.log(0.05), np.log(20), 241))
"""Temperatures that are tried, in steps of 2.5 %."""


def reliability(confidence: np.ndarray, right: np.ndarray) -> dict[str, np.ndarray]:
    """Mean confidence and accuracy in ten equal bins of confidence.

    Args:
        confidence: `(n,)` probabilities of the predictions.
        right: `(n,)`, whether each prediction is correct.

    Returns:
        `counts`, `confidence` and `right`, `(10,)` each; the means of an empty bin are 0.
    """
    places = np.clip((np.asarray(confidence) * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = (np.bincount(places, weights=x, minlength=BINS) for x in (confidence, right))
    means = [total / np.maximum(counts, 1) for total in sums]
    return {"counts": counts, "confidence": means[0], "right": means[1]}


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean distance of confidence and accuracy over bins, weighted by their counts.

    Reference:
        Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599, equation 3 (ECE), ten bins.

    Raises:
        ValueError: There are no predictions.
    """
    if not len(confidence):
        raise ValueError(
            "There are no predictions to check. Expected: one or more. Received: none. Give some."
        )
    bins = reliability(confidence, right)
    gaps = np.abs(bins["confidence"] - bins["right"])
    return float(np.sum(bins["counts"] * gaps) / len(confidence))


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of logits that makes the labels of held-out examples most likely.

    Reference:
        Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599, section 4.2. Deviates: a grid
        instead of a gradient method.

    Args:
        probabilities: `(n, classes)`, at temperature 1, of examples that were not trained on.
        labels: `(n,)` integers.

    Returns:
        One of `TEMPERATURES`; above 1 for a classifier that is too sure of itself.
    """
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-30))
    own = np.arange(len(labels)), labels
    fits = [log_softmax(logits / t, axis=1)[own].mean() for t in TEMPERATURES]
    return float(TEMPERATURES[np.argmax(fits)])
