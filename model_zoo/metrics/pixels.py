"""Pixel errors of images, against their originals or their class mean."""

from __future__ import annotations

import math

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

    This is also the least error of a prediction from the class alone.

    Args:
        images: `(n, height, width, channels)` uint8, or `(n, features)` float32.
        labels: `(n,)` integers, classes of the images.

    Returns:
        Squared pixel levels or squared units; 0 if all images of each class are equal.
    """
    total = 0.0
    for label in np.unique(labels):
        members = images[labels == label]
        total += float(np.sum(np.var(members, axis=0, dtype=np.float64))) * len(members)
    return total / math.prod(images.shape)


def squared_errors(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Mean squared difference of each image from its original, with pixels rescaled to `[0, 1]`.

    Args:
        images: `(n, height, width, channels)` uint8.
        originals: The same shape and type.

    Returns:
        `(n,)` float64 in `[0, 1]`.
    """
    difference = np.subtract(images, originals, dtype=np.float32).reshape(len(images), -1)
    return np.asarray(np.mean(np.square(difference / 255.0), axis=1, dtype=np.float64))


def excess_cross_entropy(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Pixel cross-entropy of originals under reconstructions, minus its minimum.

    The level of a pixel, scaled to `[0, 1]`, is a probability, as in a Bernoulli likelihood. Even a
    perfect reconstruction of a grey pixel has a positive cross-entropy; this minimum is subtracted.
    Probabilities are clipped to `[1/512, 1 - 1/512]`, half a level.

    Args:
        images: `(n, height, width, channels)` uint8, decoded means.
        originals: The encoded images, of the same shape and type.

    Returns:
        `(n,)` float64, nats per image, at least 0; 0 only for the originals themselves.
    """
    levels = np.arange(256) / 255.0
    clipped = np.clip(levels, 1 / 512, 1 - 1 / 512)
    ink = levels[:, None] * (np.log(clipped)[:, None] - np.log(clipped))
    paper = (1 - levels)[:, None] * (np.log1p(-clipped)[:, None] - np.log1p(-clipped))
    return np.sum((ink + paper)[originals, images].reshape(len(images), -1), axis=1)
