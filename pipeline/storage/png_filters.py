"""Filters the rows of images before compression, as PNG defines it."""

from __future__ import annotations

import numpy as np

PAETH = 4
"""The filter that predicts a value from those to the left, above and above left."""
_FLAT_FROM = 0.6  # share of values that equal their left neighbour, from which filters cost bytes
_BAND = 1 << 17  # bytes of rows at a time, which fit in the cache of a core with what they need


def filter_rows(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows of images as PNG compresses them.

    Args:
        images: uint8 array of shape `(n, height, width, channels)`.

    Returns:
        uint8 array of shape `(n, height, 1 + width * channels)`, each row after the number of its
        filter: none for flat images, else Paeth; and a bool mask of the flat images.
    """
    count, height, width, channels = images.shape
    rows = images.reshape(count, height, width * channels)
    filtered = np.zeros((count, height, 1 + width * channels), np.uint8)
    is_flat = _is_flat(rows, channels)
    filtered[is_flat, :, 1:] = rows[is_flat]
    filtered[~is_flat, :, 0] = PAETH
    rows = rows[~is_flat]
    size = max(1, _BAND // max(1, rows[:, 0].nbytes))
    for top in range(0, height if len(rows) else 0, size):
        differences = _paeth(rows[:, max(top - 1, 0) : top + size], channels, is_top=not top)
        filtered[~is_flat, top : top + size, 1:] = differences
    return filtered, is_flat


def _is_flat(rows: np.ndarray, channels: int) -> np.ndarray:
    """Returns a mask of the images in which most values equal their left neighbour."""
    equal = rows[:, :, channels:] == rows[:, :, :-channels]
    return np.count_nonzero(equal, axis=(1, 2)) >= _FLAT_FROM * equal[0].size


def _paeth(rows: np.ndarray, channels: int, *, is_top: bool) -> np.ndarray:
    """Subtracts from each value its prediction by its neighbours.

    Args:
        rows: Rows of shape `(n, rows, width * channels)`, with the row above them in front.
        channels: Values between a value and the one to its left.
        is_top: Whether the rows are the top of an image, with no row above them in front.
    """
    values = rows if is_top else rows[:, 1:]
    left, above, corner = (np.zeros(values.shape, np.uint8) for _ in range(3))
    left[:, :, channels:] = values[:, :, :-channels]
    above[:, is_top:] = rows[:, :-1]
    corner[:, :, channels:] = above[:, :, :-channels]
    to_left, to_above = _distance(above, corner), _distance(left, corner)
    # The estimate left + above - corner is as far from the corner as the two differences together.
    same_side = (above > corner) == (left > corner)
    both = to_left + to_above
    both |= _all_bits(both < to_left)  # 255 at most
    to_corner = _choose(same_side, both, _distance(to_left, to_above))
    predicted = _choose(to_above <= to_corner, above, corner)
    predicted = _choose(to_left <= np.minimum(to_above, to_corner), left, predicted)
    return values - predicted


def _choose(mask: np.ndarray, some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns `np.where(mask, some, others)` of uint8 values, several times as fast."""
    return others ^ ((some ^ others) & _all_bits(mask))


def _all_bits(mask: np.ndarray) -> np.ndarray:
    """Returns 255 where a mask is true, else 0, as uint8."""
    return np.negative(mask.view(np.uint8))


def _distance(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns absolute differences of uint8 values."""
    return np.maximum(some, others) - np.minimum(some, others)
