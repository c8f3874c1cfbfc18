"""Squared pixel distances: of images from their originals, and of images from their class mean."""

from __future__ import annotations

import numpy as np


def mean_squared_error(images: np.ndarray, originals: np.ndarray) -> float:
    """Mean over all pixels, or features of vectors, of the squared difference.

    Args:
        images: `(n, height, width, channels)` uint8, or `(n, features)` float32.
        originals: The same shape and type.

    Returns:
        Squared pixel levels, in `[0, 255**2]`, or squared units of the features.
    """
    difference = np.subtract(images, originals, dtype=np.float32)
    return float(np.mean(np.square(difference, out=difference), dtype=np.float64))


def within_class_variance(images: np.ndarray, labels: np.ndarray) -> float:
    """Mean over all pixels, or features, of the squared difference from the mean of the class.

    This is also the error of the best picture that only knows the class.

    Args:
        images: `(n, height, width, channels)` uint8, or `(n, features)` float32.
        labels: `(n,)` integers, their classes.

    Returns:
        Squared pixel levels or units; 0 where the images of a class are all equal.
    """
    total = 0.0
    for label in np.unique(labels):
        members = images[labels == label]
        total += float(np.sum(np.var(members, axis=0, dtype=np.float64))) * len(members)
    return total / images.size
