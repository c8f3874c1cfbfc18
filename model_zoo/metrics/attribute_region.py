"""The pixels in which an attribute shows, found from the data alone, and errors in and outside.

A pixel belongs to the attribute if the value explains a share of the variance of the pixel, or of
the squared pixel, among images of one class, a quarter at least of what it explains of the clearest
pixel. No model and no mask is needed. An attribute whose place changes from image to image has a
wide region.
"""

from __future__ import annotations

import numpy as np

LEAST_EXPLAINED, LEAST_OF_LARGEST = 0.02, 0.25
"""Share of the variance, and of the share of the clearest pixel, from which on a pixel counts."""
CHANCE = 20.0
"""Share that counts at least, in multiples of what chance explains on average."""
FULL = 255.0


def explained_by_value(images: np.ndarray, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of the variance of each pixel, within classes, that the value explains.

    Of each pixel and of its square, whichever is larger in any channel; corrected for the number of
    values as the adjusted coefficient of determination, so that chance gives about 0.

    Args:
        images: `(n, height, width, channels)` uint8.
        values: Values of the attribute, `(n,)` integers, two or more of them.
        labels: Classes, `(n,)` integers.

    Returns:
        `(height, width)` float64, at most 1.
    """
    present = np.unique(values)
    known = _within_classes((values[:, None] == present[1:]).astype(np.float32), labels)
    pixels = images.reshape(len(images), -1).astype(np.float32) / FULL - 0.5
    free = max(len(images) - len(np.unique(labels)), len(present))
    lost = free / max(free - len(present) + 1, 1)
    shares = []
    for seen in (pixels, np.square(pixels)):
        rest = _within_classes(seen, labels)
        total = np.sum(np.square(rest), axis=0, dtype=np.float64)
        rest -= known @ np.linalg.lstsq(known, rest, rcond=None)[0]
        left = np.sum(np.square(rest), axis=0, dtype=np.float64)
        shares.append(1 - lost * np.divide(left, total, out=np.ones_like(left), where=total > 1e-6))
    return np.max(shares, axis=0).reshape(images.shape[1:]).max(axis=-1)


def region_of(images: np.ndarray, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pixels in which an attribute shows, bool `(height, width)`; see `explained_by_value`."""
    explained = explained_by_value(images, values, labels)
    by_chance = (len(np.unique(values)) - 1) / len(images)
    least = max(LEAST_EXPLAINED, CHANCE * by_chance, LEAST_OF_LARGEST * explained.max())
    return explained >= least


def colour_errors(images: np.ndarray, others: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Absolute difference of the mean colours of a region, mean over channels.

    Args:
        images: `(n, height, width, channels)` uint8.
        others: The same shape and type.
        region: bool `(height, width)`, some pixels.

    Returns:
        `(n,)` float64 in `[0, 1]`.
    """
    found, wanted = (_inside(each, region).mean(axis=1) for each in (images, others))
    return np.abs(found - wanted).mean(axis=1)


def shape_errors(images: np.ndarray, others: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Mean absolute difference of the pixels of a region, each image less its mean colour there.

    Args:
        images: `(n, height, width, channels)` uint8.
        others: The same shape and type.
        region: bool `(height, width)`, some pixels.

    Returns:
        `(n,)` float64 in `[0, 1]`.
    """
    found, wanted = (_inside(each, region) for each in (images, others))
    found -= found.mean(axis=1, keepdims=True)
    wanted -= wanted.mean(axis=1, keepdims=True)
    return np.abs(found - wanted).mean(axis=(1, 2))


def outside_changes(images: np.ndarray, anchors: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Mean absolute difference of the pixels outside a region.

    Args:
        images: `(n, height, width, channels)` uint8.
        anchors: The same shape and type.
        region: bool `(height, width)`, not all pixels.

    Returns:
        `(n,)` float64 in `[0, 1]`.
    """
    found, wanted = (_inside(each, ~region) for each in (images, anchors))
    return np.abs(found - wanted).mean(axis=(1, 2))


def _inside(images: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Pixels of a region in `[0, 1]`, `(n, pixels, channels)` float64."""
    return images[:, region] / FULL


def _within_classes(columns: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Columns less their mean in the class, as a copy."""
    rest = columns.copy()
    for label in np.unique(labels):
        rows = labels == label
        rest[rows] -= rest[rows].mean(axis=0)
    return rest
