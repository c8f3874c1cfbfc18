"""Means of classes of which some have few examples."""

from __future__ import annotations

import numpy as np

PRIOR_EXAMPLES = 2.0
"""Examples that the mean of all classes counts for in the mean of a class."""


def shrunk_means(values: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Means of classes, shrunk to the mean of all; the latter for a class without a value.

    Args:
        values: `(n,)` or `(n, dim)` floats, `n` at least 1.
        labels: Classes, `(n,)`.
        num_classes: Number of classes.

    Returns:
        `(num_classes,)` or `(num_classes, dim)`, float64.
    """
    columns = values.reshape(len(values), -1).astype(np.float64)
    sums = np.zeros((num_classes, columns.shape[1]))
    np.add.at(sums, labels, columns)
    counts = np.bincount(labels, minlength=num_classes)[:, None]
    means = (sums + PRIOR_EXAMPLES * columns.mean(axis=0)) / (counts + PRIOR_EXAMPLES)
    return means.reshape(num_classes, *values.shape[1:])


def residuals(values: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Differences of values to the shrunk mean of the others of their class.

    They are as large as those of a value that the means never saw.

    Args:
        values: `(n,)` floats, `n` at least 1.
        labels: Classes, `(n,)`.
        num_classes: Number of classes.

    Returns:
        `(n,)` float64.
    """
    counts = (np.bincount(labels, minlength=num_classes) + PRIOR_EXAMPLES)[labels]
    means = shrunk_means(values, labels, num_classes)[labels]
    return values - (counts * means - values) / (counts - 1)
