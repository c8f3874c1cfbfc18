"""The values of the pixels of an image file, at the depth in which they stand in the file.

Pillow opens an image of 16 bits a channel as one of 8 and drops the low bytes. So the depth is
taken from the header, and the two bytes are read by turns.
"""

from __future__ import annotations

import io
import re
import sys
from typing import Any

import numpy as np

from latentloom.pipeline.importing.formats.pixel_depth import (
    BITS,
    FLOAT,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    depth_of,
    raw_modes,
    tag_of,
)

_DEEP_RAW = re.compile(r"(?P<mode>RGBA?);16(?P<order>[BLN])")
_GREY_DEEP = "LA;16B"
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_MOST = (1 << 16) - 1


def is_grey(image: Any) -> bool:
    """Returns whether an open image has no colours."""
    grey = image.mode in ("1", "L", "LA", "La") or image.mode[0] in "IF"
    return grey or _GREY_DEEP in raw_modes(image)


def read_values(image: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns the values of an open image, turned as its EXIF orientation says.

    Args:
        image: A Pillow image whose pixels are not loaded yet.

    Returns:
        Values `(height, width, channels)` of 1 or 3 channels in their own type, and the opacity,
        uint8 `(height, width)`, or None.

    Raises:
        ValueError: If its layout is not supported at its depth.
    """
    grey = is_grey(image)
    if not depth_of(image):
        return _shallow(image, grey)
    key = image.info.get("transparency")
    values = _single(image) if image.mode[0] in "IFL" else _double(image)
    if values.shape[2] in (2, 4):
        alpha = np.rint(values[..., -1] * (255 / _MOST)).astype(np.uint8)
        return values[..., :-1], alpha
    if key is None or isinstance(key, bytes):
        return values, None
    return values, np.where((values == np.array(key)).all(axis=2), 0, 255).astype(np.uint8)


def _shallow(image: Any, grey: bool) -> tuple[np.ndarray, np.ndarray | None]:
    from PIL import ImageOps

    image = ImageOps.exif_transpose(image)
    opaque = not image.has_transparency_data
    pixels = np.asarray(image.convert(("L" if grey else "RGB") if opaque else "RGBA"))
    if opaque:
        return pixels.reshape(*pixels.shape[:2], -1), None
    return pixels[..., : 1 if grey else 3], pixels[..., 3]


def _single(image: Any) -> np.ndarray:
    """Returns the values of a grey image, which Pillow keeps whole."""
    from PIL import ImageOps

    is_tiff = image.format == "TIFF"
    kind = tag_of(image, SAMPLE_FORMAT, 1) if is_tiff else 1
    inverted = is_tiff and tag_of(image, PHOTOMETRIC, 1) == 0 and kind != FLOAT
    most = (1 << tag_of(image, BITS, 16)) - 1 if inverted else 0
    values = np.asarray(ImageOps.exif_transpose(image))[..., None]
    values = values.view(np.int8) if image.mode == "L" else values
    return most - values.astype(np.int64) if inverted else values


def _double(image: Any) -> np.ndarray:
    """Returns the values of an image in colour from its high and its low bytes."""
    image.fp.seek(0)
    file = image.fp.read()
    (raw, *_) = raw_modes(image)
    if raw == _GREY_DEEP:
        parts = _decoded(file, "RGBA").astype(np.uint16)
        return parts[..., ::2] << 8 | parts[..., 1::2]
    match = _DEEP_RAW.fullmatch(raw)
    if match is None:
        raise ValueError(f"{depth_of(image)} a channel in the layout '{raw}' are not supported")
    low = f"{match['mode']};16{_SWAPPED[match['order']]}"
    return _decoded(file, raw).astype(np.uint16) << 8 | _decoded(file, low)


def _decoded(file: bytes, raw: str) -> np.ndarray:
    """Decodes a file whose pixels are unpacked in another way than its header says."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(file)) as image:
        (old, *_) = raw_modes(image)
        image.tile = [tile._replace(args=_replaced(tile.args, old, raw)) for tile in image.tile]
        return np.asarray(ImageOps.exif_transpose(image))


def _replaced(args: Any, old: str, new: str) -> Any:
    if isinstance(args, str):
        return new if args == old else args
    return tuple(new if part == old else part for part in args)
