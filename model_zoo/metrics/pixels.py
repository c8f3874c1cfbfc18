"""Pixel errors of images, against their originals or their class mean."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

BLOCK = 1 << 22
"""Pixels that are computed with at a time, unless an image has more."""


def mean_squared_error(images: np.ndarray, originals: np.ndarray) -> float:
    """Mean over all pixels, or features of vectors, of the squared difference.

    Args:
        images: `(n, height, width, channels)` uint8, or `(n, features)` float32.
        originals: The same shape and type.

    Returns:
        Squared pixel levels, in `[0, 255**2]`, or squared units of the features.
    """
    return float(np.mean(mean_squared_errors(images, originals)))


def mean_squared_errors(images: np.ndarray, originals: np.ndarray) -> np.ndarray:
    """Mean squared difference of each image from its original, `(n,)` float64.

    Args:
        images: `(n, height, width, channels)` uint8, or `(n, features)` float32.
        originals: The same shape and type.
    """

    def errors(some: np.ndarray, others: np.ndarray) -> np.ndarray:
        difference = np.subtract(some, others, dtype=np.float32).reshape(len(some), -1)
        squares = np.square(difference, out=difference)
        return np.asarray(np.mean(squares, axis=1, dtype=np.float64))

    return _by_block(errors, images, originals)


def _by_block(
    figure: Callable[[np.ndarray, np.ndarray], np.ndarray],
    images: np.ndarray,
    originals: np.ndarray,
) -> np.ndarray:
    """Computes a figure of every image, `(n,)` float64, block by block."""
    rows = max(1, BLOCK // max(math.prod(images.shape[1:]), 1))
    blocks = (slice(start, start + rows) for start in range(0, len(images), rows))
    return np.concatenate([np.zeros(0), *(figure(images[b], originals[b]) for b in blocks)])


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
    return mean_squared_errors(images, originals) / 255.0**2


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
    table = ink + paper
    return _by_block(
        lambda some, given: np.sum(table[given, some].reshape(len(some), -1), axis=1),
        images,
        originals,
    )
