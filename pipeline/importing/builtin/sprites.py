"""Renders squares, ellipses and hearts in every scale, orientation and position of dSprites.

A sprite turns counter-clockwise about its centroid and moves by whole pixels, so one mask per
shape, scale and orientation serves all positions.
"""

from __future__ import annotations

import functools
import math

import numpy as np

SHAPES = ("square", "ellipse", "heart")
SCALES = np.linspace(0.5, 1, 6)
ORIENTATIONS = np.arange(40) * 9
"""Degrees. A square repeats after ten of them and an ellipse after twenty."""
NUM_POSITIONS = 32
GRID = (len(SHAPES), len(SCALES), len(ORIENTATIONS), NUM_POSITIONS, NUM_POSITIONS)
"""Values of shape, scale, orientation, x and y: 737,280 cells."""
SIDE = 64
"""Side in pixels of the drawn images; smaller images are averages of them."""
SQUARE_SIDE = 0.3 * SIDE
ELLIPSE_AXES = 0.2 * SIDE, 0.11 * SIDE
"""Half the width and half the height of the ellipse at orientation 0."""
HEART_SIDE = 0.175 * SIDE
"""Side of a square that stands on a corner; half discs on its upper sides complete the heart."""
_FIRST = (SIDE - NUM_POSITIONS) // 2  # row or column of the first position
_REACH = 14  # pixels from the centre of a mask to its border
_HEART_CENTROID = (
    HEART_SIDE * (math.pi / 4) * (1 / 2 + 2 / (3 * math.pi)) * math.sqrt(1 / 2) / (1 + math.pi / 4)
)  # above the centre of its square


def _in_square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) <= SQUARE_SIDE / 2


def _in_ellipse(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    width, height = ELLIPSE_AXES
    return (u / width) ** 2 + (v / height) ** 2 <= 1


def _in_heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u, v = np.abs(u), v + _HEART_CENTROID
    middle = HEART_SIDE * math.sqrt(1 / 8)  # of an upper side of the square
    disc = (u - middle) ** 2 + (v - middle) ** 2 <= (HEART_SIDE / 2) ** 2
    return disc | (u + np.abs(v) <= 2 * middle)


@functools.cache
def sprite_masks() -> np.ndarray:
    """Masks of all shapes, scales and orientations, true where the pixel's centre is inside.

    Returns:
        Boolean array of shape `(3, 6, 40, 29, 29)`, 0.6 MB, with the centroid in the middle.
    """
    offsets = np.arange(-_REACH, _REACH + 1.0)
    right, up = offsets[None, :], -offsets[:, None]
    scale = SCALES[:, None, None, None]
    turn = np.deg2rad(ORIENTATIONS)[:, None, None]
    u = (np.cos(turn) * right + np.sin(turn) * up) / scale
    v = (np.cos(turn) * up - np.sin(turn) * right) / scale
    return np.stack([inside(u, v) for inside in (_in_square, _in_ellipse, _in_heart)])


def render_sprites(codes: tuple[np.ndarray, ...], image_size: int) -> np.ndarray:
    """Renders a batch, white on black.

    Args:
        codes: Codes of shape, scale, orientation, x (rightwards) and y (downwards), each an
            integer array of shape `(batch_size,)`, in the order of `GRID`.
        image_size: Side in pixels: 64 for images of 0 and 255, or 32 for averages over 2 x 2
            pixels, where a step in x or y is half a pixel.

    Returns:
        uint8 array of shape `(batch_size, image_size, image_size, 1)`.
    """
    *sprite, x, y = codes
    num_images = len(x)
    offsets = np.arange(-_REACH, _REACH + 1) + _FIRST
    rows, columns = y[:, None, None] + offsets[:, None], x[:, None, None] + offsets
    white = np.zeros((num_images, SIDE, SIDE, 1), np.uint8)
    white[np.arange(num_images)[:, None, None], rows, columns, 0] = sprite_masks()[tuple(sprite)]
    step = SIDE // image_size
    corners = [white[:, i::step, j::step] for i in range(step) for j in range(step)]
    levels = np.rint(np.linspace(0, 255, len(corners) + 1)).astype(np.uint8)
    return levels[sum(corners)]
