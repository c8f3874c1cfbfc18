"""Share of the variance of observations that reconstructions explain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Explained(NamedTuple):
    """Shares of the variance, at most 1; below 0 if a mean is nearer than the reconstruction."""

    overall: float
    """Of the squared distance from the mean of all examples."""
    within_class: float
    """Of the squared distance from the mean of the class: 0 for the class alone."""


def explained_variance(
    observed: np.ndarray, reconstructed: np.ndarray, labels: np.ndarray, class_means: np.ndarray
) -> Explained | None:
    """Measures one minus the squared error over the variance, summed over all features.

    Args:
        observed: `(n, ...)` observations on any scale.
        reconstructed: The same shape and scale.
        labels: `(n,)` integers, classes of the observations.
        class_means: `(num_classes, ...)`, mean of each class of other examples; its mean stands for
            the mean of all examples.

    Returns:
        The shares, or None if the observations do not vary.
    """
    error = np.sum(np.square(observed - reconstructed, dtype=np.float64))
    mean = np.average(class_means, axis=0, weights=np.bincount(labels, minlength=len(class_means)))
    overall = np.sum(np.square(observed - mean, dtype=np.float64))
    within = np.sum(np.square(observed - class_means[labels], dtype=np.float64))
    if not overall or not within or not np.isfinite(error):
        return None
    return Explained(float(1 - error / overall), float(1 - error / within))
