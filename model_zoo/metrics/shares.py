"""Shares of examples: their intervals, and accuracies in which every class counts alike."""

from __future__ import annotations

import math

import numpy as np

Z_95 = 1.959963984540054
"""Standard normal quantile of two-sided 95 % intervals."""


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share, which stays within `[0, 1]` and is honest about few examples.

    Reference:
        Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927.

    Args:
        share: Share of the examples, in `[0, 1]`.
        count: Number of independent examples, at least 1.

    Returns:
        Low and high end.
    """
    weight = Z_95**2 / count
    middle = (share + weight / 2) / (1 + weight)
    variance = max(share * (1 - share), 0.0) / count  # a mean of 1 may round to more
    half = Z_95 * math.sqrt(variance + weight / (4 * count)) / (1 + weight)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def balanced_accuracy(right: np.ndarray, classes: np.ndarray) -> float | None:
    """Mean over classes of the accuracy within the class; None if all classes are equally large.

    A classifier that guesses the largest class reaches the share of that class in plain accuracy,
    and only one over the number of classes here.

    Args:
        right: `(n,)` bool, whether each example is classified correctly.
        classes: `(n,)` integers, the class of each.
    """
    counts = np.unique(classes, return_counts=True)[1]
    if len(counts) < 2 or counts.min() == counts.max():
        return None
    return float(np.mean([np.mean(right[classes == label]) for label in np.unique(classes)]))
