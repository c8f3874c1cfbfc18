"""Decodes image files of common formats to arrays of one shape."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from latentloom.pipeline.observations import MOST_PIXELS

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_DAMAGE = Exception  # Pillow's decoders raise errors of a dozen types
_GREY_MODES = ("1", "L", "LA")
_PROBED = 64  # images that decide the shape

File = Path | IO[bytes]


def _with_image(file: File, use: Callable[[Any], Any]) -> Any:
    """Opens an image by its header and returns `use(image)`, or the reason why it is unusable."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    return f"the image has {image.width}x{image.height} pixels, too many"
                if image.mode[0] in "IF":
                    return f"the image has more than 8 bits per channel (mode '{image.mode}')"
                return use(image)
    except Image.DecompressionBombError:
        return "the image has too many pixels"
    except _DAMAGE as error:
        return f"the image cannot be read: {' '.join(str(error).split())}"


def _shape(image: Any) -> tuple[int, int, int]:
    turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientation: the sides are swapped
    width, height = image.size[::-1] if turned else image.size
    return height, width, 1 if image.mode in _GREY_MODES else 3


def _pixels(image: Any, channels: int, image_size: int | None) -> np.ndarray:
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    image = image.convert("L" if channels == 1 else "RGB")
    if image_size is not None:
        image = image.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(image.height, image.width, channels)


@dataclass(frozen=True)
class Decoder:
    """Decodes image files to one shape.

    Applies the EXIF orientation, puts transparent images on white, and shrinks with antialiasing.

    Args:
        image_shape: Event shape `(height, width, channels)`, 1 or 3 channels.
        image_size: Side to which images are resized, or None if they must have the shape.
    """

    image_shape: tuple[int, int, int]
    image_size: int | None

    @classmethod
    def fit(cls, files: Iterable[tuple[str, File]], image_size: int | None) -> Decoder:
        """Takes the shape from the first images: grey if all of them are, else RGB.

        Args:
            files: Names and files, read until enough are seen.
            image_size: Side to which images are to be resized, or None.

        Raises:
            ValueError: If every image is unreadable, or images differ in size and `image_size` is
                None.
        """
        shapes: list[tuple[str, tuple[int, int, int]]] = []
        reason = "no images"
        for name, file in files:
            shape = _with_image(file, _shape)
            if isinstance(shape, str):
                reason = f"'{name}': {shape}"
            else:
                shapes.append((name, shape))
            if len(shapes) == _PROBED:
                break
        if not shapes:
            raise ValueError(
                f"All images are unreadable. Expected: {', '.join(FORMATS)} files. "
                f"Received: {reason}. Check the files."
            )
        (first, (height, width, _)), *others = shapes
        channels = max(shape[2] for _, shape in shapes)
        if image_size is not None:
            return cls((image_size, image_size, channels), image_size)
        for name, shape in others:
            _check_size(name, shape, (height, width), f", and {height}x{width} in '{first}'")
        return cls((height, width, channels), None)

    def __call__(self, name: str, file: File) -> np.ndarray | str:
        """Decodes one file.

        Args:
            name: Name of the file, for the error.
            file: Path or open binary file.

        Returns:
            uint8 array of `image_shape`, or the reason why there is none.

        Raises:
            ValueError: If the image has another size and `image_size` is None.
        """
        channels = self.image_shape[2]
        pixels = _with_image(file, lambda image: _pixels(image, channels, self.image_size))
        if not isinstance(pixels, str):
            _check_size(name, pixels.shape, self.image_shape[:2])
        return pixels


def _check_size(name: str, shape: tuple[int, ...], size: tuple[int, int], other: str = "") -> None:
    if shape[:2] != size:
        raise ValueError(
            f"The images differ in size. Expected: all {size[0]}x{size[1]} (height x width). "
            f"Received: {shape[0]}x{shape[1]} in '{name}'{other}. Pass --image-size 64."
        )
