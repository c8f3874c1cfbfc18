"""Detail of images: how strong their edges are, and how fine.

A decoder that has learnt too little, or that averages, makes soft images, and noise is all edges.
The strength of the edges depends on what an image shows: a blurred image of strong edges passes for
a sharp one of weak edges. Their fineness does not, because blur weakens the finest scale most,
whatever the image shows.
"""

from __future__ import annotations

import numpy as np

BLOCK_BYTES = 1 << 18
"""Most bytes of the images in float32 that are measured at once, unless a single one is larger."""

LEVEL = 1.0
"""Energy that is added to each, of one level of 255 in every pixel: less is lost in rounding."""


def measure_detail(images: np.ndarray) -> dict[str, np.ndarray]:
    """Measures the detail of images; an image has the same figures whatever stands beside it.

    Args:
        images: uint8 of shape `(n, height, width, channels)`.

    Returns:
        Two columns, float64 of shape `(n,)`. `gradient`: logarithm of the gradient energy, the mean
        square of the first differences of neighbouring pixels, in levels. `fineness`: logarithm of
        the energy of the second differences over that of the first. A wave of `w` radians a pixel
        has `log(2 - 2 * cos(w))`, from minus infinity for a flat image to `log(4)` for pixels that
        alternate; white noise has about `log(3)`.
    """
    first, second = np.zeros(len(images)), np.zeros(len(images))
    size = max(1, BLOCK_BYTES // max(4 * images[:1].size, 1))
    _, height, width, channels = images.shape
    scratch = np.empty((3, min(size, len(images)), height, width * channels), np.float32)
    for start in range(0, len(images), size):
        rows = slice(start, min(start + size, len(images)))
        pixels, *rest = scratch[:, : rows.stop - start]
        pixels[:] = images[rows].reshape(pixels.shape)
        for subtract in (_down, _across):
            once = subtract(pixels, channels, rest[0])
            first[rows] += _mean_square(once)
            second[rows] += _mean_square(subtract(once, channels, rest[1]))
    first, second = np.log(first + LEVEL), np.log(second + LEVEL)
    return {"gradient": first, "fineness": second - first}


def _down(lines: np.ndarray, channels: int, out: np.ndarray) -> np.ndarray:
    """Differences of neighbouring lines, in `out`: to take new memory would cost more."""
    out = out[:, : lines.shape[1] - 1, : lines.shape[2]]
    return np.subtract(lines[:, 1:], lines[:, :-1], out=out)


def _across(lines: np.ndarray, channels: int, out: np.ndarray) -> np.ndarray:
    """Differences of neighbouring pixels of a line, in `out`."""
    out = out[:, : lines.shape[1], : lines.shape[2] - channels]
    return np.subtract(lines[:, :, channels:], lines[:, :, :-channels], out=out)


def _mean_square(values: np.ndarray) -> np.ndarray:
    """Mean square of each image; sums lines of pixels in float32 and these in float64."""
    lines = np.einsum("nhw,nhw->nh", values, values)
    return lines.sum(axis=1, dtype=np.float64) / max(values[0].size, 1)
