"""A hash of 64 bits that images have in common if they look alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.fft import dct

from latentloom.model_zoo.metrics.image_properties import luma

SIDE, KEPT = 32, 8
"""Pixels to which the sides of an image are averaged, and waves that are kept along each."""
LEAST_LENGTH = 1.0
"""Length of the waves of an image, in levels, below which they are rounding."""
COMPARED_AT_ONCE = 1 << 22
"""Pairs of hashes that are held at a time."""


def perceptual_hashes(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes the long waves of images: which of them are above their median.

    Reference:
        Zauner, Implementation and benchmarking of perceptual image hash functions, 2010 (pHash).
        Deviates: pixels are averaged over areas, and the median leaves out the mean level.

    Args:
        images: uint8 of shape `(n, height, width, channels)`.

    Returns:
        The hashes, uint64 of shape `(n,)`, and the waves without the mean level, scaled to length
        1, float32 of shape `(n, KEPT**2 - 1)`: the product of two images is the correlation of
        their long waves; 0 for constant images.
    """
    rows, columns = (_waves(size) for size in images.shape[1:3])
    waves = np.einsum("ah,nhw,bw->nab", rows, luma(images), columns, optimize=True)
    waves = waves.reshape(len(images), -1)
    bits = waves > np.median(waves[:, 1:], axis=1, keepdims=True)
    hashes = np.packbits(bits, axis=1).view(np.uint64).ravel()
    lengths = np.linalg.norm(waves[:, 1:], axis=1, keepdims=True)
    return hashes, (waves[:, 1:] / np.maximum(lengths, LEAST_LENGTH)).astype(np.float32)


def close_pairs(hashes: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Yields the pairs of hashes that differ in few bits, in blocks.

    Compares every hash with every later one: 70,000 hashes take about ten seconds.

    Args:
        hashes: `(n,)` uint64.
        most: Largest number of bits in which a pair differs.

    Yields:
        Rows of such pairs, int64 of shape `(m, 2)`, the smaller row first; after each block.
    """
    size = max(1, COMPARED_AT_ONCE // max(len(hashes), 1))
    for start in range(0, len(hashes), size):
        block = hashes[start : start + size, None]
        close = np.bitwise_count(block ^ hashes[None, start:]) <= most
        first, second = np.nonzero(close)
        later = second > first
        yield np.stack([first[later] + start, second[later] + start], axis=1)


def averaging(size: int, side: int) -> np.ndarray:
    """Returns the matrix that averages the pixels of a side over areas, `(side, size)` float32."""
    edges, pixels = np.arange(side + 1) * size / side, np.arange(size)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.maximum(covered, 0) * side / size).astype(np.float32)


def _waves(size: int) -> np.ndarray:
    """The longest waves of a side, averaged to `SIDE` pixels first, `(KEPT, size)`."""
    waves = np.asarray(dct(averaging(size, SIDE), axis=0, norm="ortho"))
    return waves[:KEPT].astype(np.float32)
