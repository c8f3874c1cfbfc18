"""Resizes images by bilinear sampling, antialiased where they shrink, as `tf.image.resize` does."""

from __future__ import annotations

import numpy as np

_BLOCK = 1 << 17  # bytes of pixels resized at a time, which fit in the cache of a core as float32


def resize_images(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes images, rows first.

    Args:
        images: uint8 array of shape `(n, height, width, channels)`.
        size: New height and width in pixels.

    Returns:
        uint8 array of shape `(n, *size, channels)`.
    """
    resized = np.empty((len(images), *size, images.shape[3]), np.uint8)
    block = max(1, _BLOCK // max(images[:1].nbytes, resized[:1].nbytes, 1))
    for start in range(0, len(images), block):
        rows = images[start : start + block].astype(np.float32)
        rows = _resize_axis(_resize_axis(rows, 1, size[0]), 2, size[1])
        resized[start : start + block] = np.clip(np.rint(rows), 0, 255)
    return resized


def _resize_axis(images: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Resizes one axis: every new pixel is a weighted mean of its neighbours."""
    starts, weights = _neighbours(images.shape[axis], size)
    resized = np.zeros((*images.shape[:axis], size, *images.shape[axis + 1 :]), np.float32)
    shape = [-1 if place == axis else 1 for place in range(images.ndim)]
    for step, column in enumerate(weights.T):
        places = np.minimum(starts + step, images.shape[axis] - 1)
        resized += np.take(images, places, axis) * column.reshape(shape)
    return resized


def _neighbours(old: int, new: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first neighbour of each new pixel, and the weights of all of them.

    Computes in float32, in the order of TensorFlow, so that pixels are rounded alike.
    """
    one, half = np.float32(1), np.float32(0.5)
    spread = one / (np.float32(new) / np.float32(old))
    radius = np.maximum(spread, one)
    centres = (np.arange(new, dtype=np.float32) + half) * spread
    starts = np.maximum(np.ceil(centres - radius - half), 0).astype(np.int64)
    ends = np.minimum(np.floor(centres + radius - half) + 1, old).astype(np.int64)
    places = starts[:, None] + np.arange(np.max(ends - starts))
    distances = np.abs((places.astype(np.float32) + half - centres[:, None]) * (one / radius))
    weights = np.maximum(one - distances, 0)
    weights[places >= ends[:, None]] = 0
    totals = np.zeros(new, np.float32)
    for column in weights.T:
        totals += column
    return starts, weights * (one / totals)[:, None]
