"""Attributes of a drawn object, measured from its pixels: thickness, slant and width.

An image must show one bright object on a dark background, such as a digit of MNIST. Ink is the
level of a pixel; levels below `BACKGROUND` count as 0, so that noise and haze do not count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BACKGROUND = 32
"""Lowest level of ink, an eighth of the range 0 to 255."""
BLOCK = 4096
"""Number of images measured at once."""
HELD = 0.95
"""Share of the ink within the columns of a width."""


def thickness(ink: np.ndarray) -> np.ndarray:
    """Area of the ink over half the length of its outline.

    Half the outline of a thin stroke is the length of its skeleton, without the steps of a pixel
    skeleton. The length of the outline is the total variation of the levels, which measures grey
    edges correctly. A straight bar of width `w` and length `l` has `w / (1 + w / l)`.

    Args:
        ink: `(n, height, width)` float64, levels of ink.

    Returns:
        `(n,)` float64 in pixels, 0 for a blank image.
    """
    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    down = (padded[:, 1:] - padded[:, :-1]) / 2
    across = (padded[:, :, 1:] - padded[:, :, :-1]) / 2
    # both at the corners of pixels, so that a slanted edge has no steps
    outline = np.hypot(down[:, :, 1:] + down[:, :, :-1], across[:, 1:] + across[:, :-1])
    length = outline.sum(axis=(1, 2)) / 2
    return _over(ink.sum(axis=(1, 2)), length)


def slant(ink: np.ndarray) -> np.ndarray:
    """Shear angle of the ink from the vertical, from its second moments.

    Args:
        ink: `(n, height, width)` float64, levels of ink.

    Returns:
        `(n,)` float64 in degrees, above -90 and below 90, positive where the top leans to the
        right; 0 for ink in one row, in one column, or for a blank image.
    """
    mass = ink.sum(axis=(1, 2))
    up = -np.arange(ink.shape[1], dtype=np.float64)
    right = np.arange(ink.shape[2], dtype=np.float64)
    rows, columns = ink.sum(axis=2), ink.sum(axis=1)
    up = up - _over(rows @ up, mass)[:, None]
    right = right - _over(columns @ right, mass)[:, None]
    together = np.einsum("nhw,nh,nw->n", ink, up, right, optimize=True)
    return np.degrees(np.arctan2(together, np.sum(rows * np.square(up), axis=1)))


def width(ink: np.ndarray) -> np.ndarray:
    """Range of columns with the middle 95 % of the ink, interpolated within columns.

    Args:
        ink: `(n, height, width)` float64, levels of ink.

    Returns:
        `(n,)` float64 in pixels: 0.95 for one column of ink, 0 for a blank image.
    """
    columns = ink.sum(axis=1)
    columns = _over(columns, columns.sum(axis=1, keepdims=True))
    below = np.concatenate([np.zeros((len(ink), 1)), np.cumsum(columns, axis=1)], axis=1)
    ends = []
    for share in ((1 - HELD) / 2, (1 + HELD) / 2):
        place = np.argmax(below[:, 1:] >= share, axis=1)[:, None]
        before, held = (np.take_along_axis(part, place, axis=1) for part in (below, columns))
        ends.append(place[:, 0] + _over(share - before, held)[:, 0])
    return np.where(columns.any(axis=1), ends[1] - ends[0], 0.0)


ATTRIBUTES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "thickness": thickness,
    "slant": slant,
    "width": width,
}
"""The attributes by name."""


def measure_strokes(images: np.ndarray, name: str) -> np.ndarray:
    """Measures one attribute of grey images.

    Args:
        images: `(n, height, width, 1)` uint8, one bright object on a dark background each.
        name: A key of `ATTRIBUTES`.

    Returns:
        `(n,)` float64 in pixels or degrees, 0 for a blank image. Rounded to a millionth, so that
        every CPU gives the same value.

    Raises:
        ValueError: The images are not grey, or the attribute is unknown.
    """
    if images.ndim != 4 or images.shape[3] != 1 or images.dtype != np.uint8:
        raise ValueError(
            "Strokes cannot be measured. Expected: grey uint8 images, (n, height, width, 1). "
            f"Received: shape={images.shape} of {images.dtype}. Convert them."
        )
    if name not in ATTRIBUTES:
        raise ValueError(
            f"The attribute is unknown. Expected: one of {', '.join(ATTRIBUTES)}. "
            f"Received: name={name!r}. Use one of these."
        )
    measured = np.zeros(len(images))
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        ink = images[rows][..., 0].astype(np.float64)
        measured[rows] = ATTRIBUTES[name](np.where(ink < BACKGROUND, 0.0, ink))
    return np.round(measured, 6)


def _over(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Ratio, 0 where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0)
