"""Properties of images that say how they were taken: light, colour, sharpness and background."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.metrics.detail import BLOCK_BYTES, measure_detail

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in the brightness of a pixel, as in ITU-R BT.601."""
DARK, LIGHT = 2, 98
"""Percentiles of the pixels that are the darkest and the lightest level."""
FRAME = 16
"""The border is a frame of this part of the shorter side, at least one pixel."""

PROPERTIES = {
    "brightness": "mean level of the pixels",
    "contrast": "standard deviation of the levels",
    "levels": "darkest and lightest level, the second and the 98th percentile",
    "colour_cast": "shares of red and of green in the light of the image",
    "sharpness": "fineness of the edges, which blur lowers and noise raises",
    "border_colour": "median level of the border, in each channel",
    "object_colour": "mean level of what differs most from the border, in each channel",
}
"""What each property is; grey images have no `colour_cast`."""


def measure_image_properties(images: np.ndarray) -> dict[str, np.ndarray]:
    """Measures the properties of images, each image by itself.

    Args:
        images: uint8 of shape `(n, height, width, channels)`, 1 or 3 channels.

    Returns:
        float32 of shape `(n, numbers)` by property, in the order of `PROPERTIES`: levels in
        `[0, 255]`, shares in `[0, 1]`, fineness as a logarithm.
    """
    size = max(1, 16 * BLOCK_BYTES // max(4 * images[:1].size, 1))
    parts = [_of_block(images[at : at + size]) for at in range(0, max(len(images), 1), size)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def luma(images: np.ndarray) -> np.ndarray:
    """Returns the brightness of the pixels of images, float32 of shape `(n, height, width)`."""
    levels = images.astype(np.float32)
    return levels @ LUMA if images.shape[-1] == 3 else levels[..., 0]


def are_constant(images: np.ndarray) -> np.ndarray:
    """Returns whether all pixels of an image are alike, bool of shape `(n,)`."""
    return (images == images[:, :1, :1]).all(axis=(1, 2, 3))


def _of_block(images: np.ndarray) -> dict[str, np.ndarray]:
    grey = luma(images).reshape(len(images), -1)
    extremes = np.percentile(grey, [DARK, LIGHT], axis=1).T
    border = np.median(images[:, _frame(*images.shape[1:3])], axis=1)
    found = {
        "brightness": grey.mean(axis=1, keepdims=True),
        "contrast": grey.std(axis=1, keepdims=True),
        "levels": extremes,
        "sharpness": measure_detail(images)["fineness"][:, None],
        "border_colour": border,
        "object_colour": _object_colour(images, border),
    }
    if images.shape[-1] == 3:
        light = images.sum(axis=(1, 2), dtype=np.float64)
        total = light.sum(axis=1, keepdims=True)
        found["colour_cast"] = np.where(total > 0, light / np.maximum(total, 1), 1 / 3)[:, :2]
    return {name: found[name].astype(np.float32) for name in PROPERTIES if name in found}


def _object_colour(images: np.ndarray, border: np.ndarray) -> np.ndarray:
    """Mean of the pixels that differ from the border at least half as much as the most different.

    Args:
        images: uint8 of shape `(n, height, width, channels)`.
        border: Colour of the border, `(n, channels)`.
    """
    levels = images.reshape(len(images), -1, images.shape[-1]).astype(np.float32)
    distances = np.abs(levels - border[:, None]).sum(axis=2)
    is_object = distances >= distances.max(axis=1, keepdims=True) / 2
    sums = np.einsum("npc,np->nc", levels, is_object.astype(np.float32))
    return sums / is_object.sum(axis=1, keepdims=True)


def _frame(height: int, width: int) -> np.ndarray:
    """Whether each pixel belongs to the border, bool of shape `(height, width)`."""
    thickness = max(1, min(height, width) // FRAME)
    inside = np.zeros((height, width), bool)
    inside[thickness:-thickness, thickness:-thickness] = True
    return ~inside
