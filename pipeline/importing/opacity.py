"""Images with a channel of opacity, laid on a ground: one mechanism for all sources."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.changes import BLANK, change_columns
from latentloom.pipeline.importing.derived import derive_source
from latentloom.pipeline.importing.fitting import Colour
from latentloom.pipeline.importing.levels import Levels
from latentloom.pipeline.importing.source import Source

WHITE = (255, 255, 255)
"""The ground of transparent images, unless another one is asked for."""
_WITH_OPACITY = {2: 1, 4: 3}
"""Channels without opacity, by those with it."""
_MOST = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(bool): 1}
"""The value of what is opaque, by the type of an array."""


def has_opacity(channels: int) -> bool:
    """Returns whether the last of so many channels is an opacity."""
    return channels in _WITH_OPACITY


def without_opacity(channels: int) -> int:
    """Returns the number of channels of images that were laid on a ground."""
    return _WITH_OPACITY.get(channels, channels)


def check_opacity(where: str, channels: int, dtype: np.dtype, *, has_ground: bool) -> None:
    """Rejects arrays of 2 or 4 channels unless a ground says that the last one is an opacity.

    Args:
        where: The source, for the error.
        channels: Number of their channels.
        dtype: Their type.
        has_ground: Whether a ground was asked for.

    Raises:
        ValueError: If no ground was asked for, or numbers of this type are no opacity.
    """
    if not has_opacity(channels):
        return
    if not has_ground:
        raise ValueError(
            f"The images of '{where}' have {channels} channels. Expected: 1 or 3 channels, or an "
            f"opacity as the last one beside a ground. Received: channels={channels}. Convert "
            "them, or pass --ground white to lay them on white if the last channel is the opacity."
        )
    if dtype.newbyteorder("=") not in _MOST:
        raise ValueError(
            f"The images of '{where}' have an opacity without a known range. Expected: uint8 or "
            f"uint16 in {channels} channels. Received: dtype={dtype}. Cast them, or leave the last "
            "channel out."
        )


def opaque(
    image: np.ndarray, channels: int, ground: Colour | None, levels: Levels | None
) -> tuple[np.ndarray, dict[str, float]]:
    """Lays an image whose last channel is its opacity on a ground.

    Args:
        image: uint8 or uint16 array of shape `(height, width, 2 or 4)`.
        channels: Number of channels that it gets, 1 or 3.
        ground: Colour of the ground; white by default.
        levels: How its values become levels of 0 to 255, or None for 8-bit levels as they are.

    Returns:
        The pixels, uint8 of shape `(height, width, channels)`, and how much it was changed by kind.
    """
    values, alpha = image[..., :-1], image[..., -1]
    most = _MOST[image.dtype.newbyteorder("=")]
    amounts: dict[str, float] = {}
    if levels is not None:
        most = 1 if not levels.asked and alpha.max() <= 1 else most
        amounts, values = levels.amounts(values), levels(values)
    alpha = np.rint(alpha * (255 / most)).astype(np.uint8)
    laid, blank = lay_on_ground(image_of(values, alpha), ground or WHITE)
    pixels = np.asarray(laid.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*image.shape[:2], channels), amounts | {BLANK: float(blank)}


def shown(images: np.ndarray) -> np.ndarray:
    """Returns images without their last channel if it is an opacity that hides nothing.

    Args:
        images: Array of shape `(n, height, width, channels)`.
    """
    if not has_opacity(images.shape[3]):
        return images
    most = _MOST.get(images.dtype.newbyteorder("="))
    return images[..., :-1] if (images[..., -1] == most).all() else images


def image_of(levels: np.ndarray, alpha: np.ndarray | None) -> Any:
    """Returns levels `(height, width, 1 or 3)` and an opacity `(height, width)` for Pillow."""
    from PIL import Image

    if alpha is None:
        return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)
    return Image.fromarray(np.dstack([levels, alpha]))


def lay_on_ground(image: Any, ground: Colour) -> tuple[Any, bool]:
    """Lays a transparent image of Pillow on a ground; also returns if that made it constant."""
    from PIL import Image

    if not image.has_transparency_data:
        return image, False
    image = image.convert("RGBA")
    laid = Image.alpha_composite(Image.new("RGBA", image.size, ground), image)
    return laid, is_constant(laid) and not is_constant(image)


def is_constant(image: Any) -> bool:
    """Returns whether an image of Pillow has one colour throughout."""
    return all(low == high for low, high in np.reshape(image.getextrema(), (-1, 2)))


def with_ground(
    source: Source, ground: Colour | None, levels: Levels | None, channels: int | None
) -> Source:
    """Lays the images of a source of arrays on a ground; arguments as for `opaque`."""
    height, width, stored = source.observation_shape
    channels = channels or without_opacity(stored)

    def change(
        split: str, batch: tuple[Examples, list[DeadLetter]]
    ) -> tuple[Examples, list[DeadLetter]]:
        examples, dead = batch
        laid = [opaque(image, channels, ground, levels) for image in examples.observations]
        pixels = np.array([image for image, _ in laid], np.uint8)
        pixels = pixels.reshape(-1, height, width, channels)
        changes = change_columns([amounts for _, amounts in laid])
        return dataclasses.replace(examples, observations=pixels, changes=changes), dead

    return derive_source(source, change, observation_shape=(height, width, channels))
