"""Opens image files by their headers, and says why one is unusable."""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from latentloom.pipeline.importing.formats.pixel_depth import depth_of, is_read_whole
from latentloom.pipeline.importing.formats.pixel_values import is_grey
from latentloom.pipeline.observations import MOST_PIXELS

FORMATS = (
    *("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000", "PPM", "AVIF", "DIB", "ICO", "ICNS"),
    *("TGA", "PCX", "SGI", "SUN", "DDS", "QOI", "PSD", "XBM", "XPM", "MSP"),
)
"""Formats of Pillow that hold pixels; others need programs, or are stubs, films or documents."""
_STACKS = ("TIFF", "GIF", "WEBP", "PNG", "AVIF", "MPO")
_SCALE = "pass --range LOW,HIGH, such as 0,65535, or --range file"
_RESAVE = "Pillow reads 8 of them in this format; save it as PNG or TIFF"
_DAMAGE = Exception  # Pillow's decoders raise errors of a dozen types

File = str | Path | IO[bytes]
"""Path of an image, or an open binary file."""


def with_image(file: File, use: Callable[[Any], Any], *, scales: bool) -> Any:
    """Opens an image by its header and returns `use(image)`, or the reason why it is unusable.

    An image of more than 8 bits a channel is unusable unless its values are scaled.
    """
    from PIL import Image

    try:
        if isinstance(file, str | Path) and not stat.S_ISREG(os.stat(file).st_mode):
            return "it is not a regular file"  # a pipe would be waited for
        # By its path, Pillow would map a TIFF, and map one with an orientation wrongly.
        opened = open(file, "rb") if isinstance(file, str | Path) else contextlib.nullcontext(file)
        with opened as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(stream, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    return f"the image has {image.width}x{image.height} pixels, too many"
                if (depth := depth_of(image)) and not (scales and is_read_whole(image)):
                    how = _SCALE if is_read_whole(image) else _RESAVE
                    return f"the image has more than 8 bits per channel ({depth}); {how}"
                return use(image)
    except Image.DecompressionBombError:
        return "the image has too many pixels"
    except Image.UnidentifiedImageError:  # its message has the address of the file in memory
        return "the image cannot be read: its format is unknown, or its header is damaged"
    except _DAMAGE as error:
        return f"the image cannot be read: {' '.join(str(error).split())}"


def shape_of(image: Any) -> tuple[int, int, int]:
    """Returns height and width of an opened image as it is to be seen, and 1 or 3 channels."""
    channels = 1 if is_grey(image) else 3  # before EXIF is read, which may load the pixels
    turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientation: the sides are swapped
    turned = turned and image.format != "TIFF"  # whose size Pillow swaps already
    width, height = image.size[::-1] if turned else image.size
    return height, width, channels


def later_frames(image: Any) -> int:
    """Returns the number of pages or frames after the first, which are not read."""
    if image.format not in _STACKS or not getattr(image, "is_animated", False):
        return 0
    try:
        return max(image.n_frames - 1, 1)
    except _DAMAGE:  # of a later one
        return 1
