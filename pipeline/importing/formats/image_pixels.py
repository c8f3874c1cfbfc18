"""The pixels of an opened image, in the form that an import gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentloom.pipeline.importing.changes import BLANK
from latentloom.pipeline.importing.fitting import FITS, Fit
from latentloom.pipeline.importing.formats.pixel_values import is_grey, read_values
from latentloom.pipeline.importing.image_form import ImageForm
from latentloom.pipeline.importing.levels import NOT_FINITE, peak_of
from latentloom.pipeline.importing.opacity import WHITE, image_of, is_constant, lay_on_ground


@dataclass(frozen=True)
class Decoded:
    """A decoded image, and how much of it each kind of change changed.

    Args:
        pixels: uint8 array of shape `(height, width, channels)`.
        amounts: How much each kind of change changed it.
    """

    pixels: np.ndarray
    amounts: Mapping[str, float]


def decode_image(image: Any, channels: int, form: ImageForm) -> Decoded | str:
    """Returns the pixels of an opened image, or the reason why there are none.

    Args:
        image: A Pillow image whose pixels are not loaded yet.
        channels: 1 for grey, 3 for RGB.
        form: The form that it gets.
    """
    from PIL import ImageOps

    if form.levels is None:
        image, amounts = ImageOps.exif_transpose(image), {}
    else:
        values, alpha = read_values(image)
        if not np.isfinite(values).all():
            return NOT_FINITE
        amounts = form.levels.amounts(values)
        image = image_of(form.levels(values), alpha)
    image, blank = lay_on_ground(image, form.ground or WHITE)
    image = image.convert("L" if channels == 1 else "RGB")
    if form.fit is not None:
        amounts[FITS[form.fit.how]] = form.fit.amount(image.height, image.width)
        pixels = _fitted(image, form.fit, channels)
    else:
        pixels = np.asarray(image, np.uint8).reshape(image.height, image.width, channels)
    return Decoded(pixels, amounts | {BLANK: float(blank)})


def _fitted(image: Any, fit: Fit, channels: int) -> np.ndarray:
    from PIL import Image

    top, left, bottom, right = fit.box(image.height, image.width)
    height, width = fit.inner(image.height, image.width)
    shown = image.crop((left, top, right, bottom))
    inner = shown.resize((width, height), Image.Resampling.BILINEAR)
    batches = (np.asarray(each, np.uint8) for each in (inner, image))
    return fit.framed(*(each.reshape(1, *each.shape[:2], channels) for each in batches))[0]


def peak_of_image(image: Any) -> int:
    """Returns `peak_of` for an image; 255 if it is transparent anywhere, and shows a ground."""
    if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
        return 255
    image = image.convert("L" if is_grey(image) else "RGB")
    return peak_of(int(np.max(image.getextrema())), is_constant=is_constant(image))
