"""Decodes image files of common formats to arrays of one shape."""

from __future__ import annotations

import contextlib
import stat
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.observations import MOST_PIXELS
from latentloom.pipeline.storage.texts import printable

FORMATS = (
    *("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000", "PPM", "AVIF", "DIB", "ICO", "ICNS"),
    *("TGA", "PCX", "SGI", "SUN", "DDS", "QOI", "PSD", "XBM", "XPM", "MSP"),
)
"""Formats of Pillow that hold pixels; others need programs, or are stubs, films or documents."""
_STACKS = ("TIFF", "GIF", "WEBP", "PNG", "AVIF")
_DAMAGE = Exception  # Pillow's decoders raise errors of a dozen types
_GREY_MODES = ("1", "L", "LA")

File = Path | IO[bytes]


def _with_image(file: File, use: Callable[[Any], Any]) -> Any:
    """Opens an image by its header and returns `use(image)`, or the reason why it is unusable."""
    from PIL import Image

    try:
        if isinstance(file, Path) and not stat.S_ISREG(file.stat().st_mode):
            return "it is not a regular file"  # a pipe would be waited for
        # By its path, Pillow would map a TIFF, and map one with an orientation wrongly.
        opened = file.open("rb") if isinstance(file, Path) else contextlib.nullcontext(file)
        with opened as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(stream, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    return f"the image has {image.width}x{image.height} pixels, too many"
                if image.mode[0] in "IF":
                    return f"the image has more than 8 bits per channel (mode '{image.mode}')"
                return use(image)
    except Image.DecompressionBombError:
        return "the image has too many pixels"
    except Image.UnidentifiedImageError:  # its message has the address of the file in memory
        return "the image cannot be read: its format is unknown, or its header is damaged"
    except _DAMAGE as error:
        return f"the image cannot be read: {' '.join(str(error).split())}"


def _shape(image: Any) -> tuple[int, int, int]:
    turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientation: the sides are swapped
    turned = turned and image.format != "TIFF"  # whose size Pillow swaps already
    width, height = image.size[::-1] if turned else image.size
    return height, width, 1 if image.mode in _GREY_MODES else 3


def _is_stack(image: Any) -> bool:
    """Returns whether an image has several pages or frames, of which the first is read."""
    return image.format in _STACKS and bool(getattr(image, "is_animated", False))


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


@dataclass
class Headers:
    """What the headers of images say together, whatever their order.

    Args:
        image_size: Side to which images are to be resized, or None if they must have one size.
    """

    image_size: int | None
    first: str = ""
    size: tuple[int, int] = (0, 0)
    channels: int = 0
    reason: str = field(default="no images", init=False)
    stacks: list[str] = field(default_factory=list, init=False)

    def add(self, name: str, file: File) -> None:
        """Reads the header of one image; an unreadable one is left out.

        Raises:
            ValueError: If it differs in size from the first one and `image_size` is None.
        """
        found = _with_image(file, lambda image: (_shape(image), _is_stack(image)))
        if isinstance(found, str):
            self.reason = f"'{printable(name)}': {found}"
            return
        shape, is_stack = found
        self.stacks += [name] if is_stack else []
        if not self.first:
            self.first, self.size = name, shape[:2]
        elif self.image_size is None:
            height, width = self.size
            _check_size(name, shape, self.size, f", and {height}x{width} in '{self.first}'")
        self.channels = max(self.channels, shape[2])

    def decoder(self, channels: int | None = None) -> Decoder:
        """Returns the decoder of these images: to grey if all of them are, else to RGB.

        Args:
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.

        Raises:
            ValueError: If every image is unreadable.
        """
        if not self.first:
            raise ValueError(
                f"All images are unreadable. Expected: {', '.join(FORMATS)} files. "
                f"Received: {self.reason}. Check the files."
            )
        size = self.size if self.image_size is None else (self.image_size, self.image_size)
        chosen = channels is not None
        reason = "the pages or frames after the first, of images with several"
        told = [Ignored(reason, len(self.stacks), self.stacks[0])] if self.stacks else []
        shape = (*size, channels or self.channels)
        return Decoder(shape, self.image_size, discards_colour=chosen, ignored=told)


@dataclass(frozen=True)
class Decoder:
    """Decodes image files to one shape.

    Applies the EXIF orientation, puts transparent images on white, and shrinks with antialiasing.

    Args:
        image_shape: Event shape `(height, width, channels)`, 1 or 3 channels.
        image_size: Side to which images are resized, or None if they must have the shape.
        discards_colour: Whether an image in colour may become grey.
        ignored: What it leaves out of the images.
    """

    image_shape: tuple[int, int, int]
    image_size: int | None
    discards_colour: bool = False
    ignored: list[Ignored] = field(default_factory=list)

    @classmethod
    def fit(
        cls,
        files: Iterable[tuple[str, File]],
        image_size: int | None,
        channels: int | None = None,
    ) -> Decoder:
        """Takes the shape from the headers of all images: grey if all of them are, else RGB.

        Args:
            files: Names and files.
            image_size: Side to which images are to be resized, or None.
            channels: As in `Headers.decoder`.

        Raises:
            ValueError: If every image is unreadable, or images differ in size and `image_size` is
                None.
        """
        headers = Headers(image_size)
        for name, file in files:
            headers.add(name, file)
        return headers.decoder(channels)

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
        pixels = _with_image(file, self._decode)
        if not isinstance(pixels, str):
            _check_size(name, pixels.shape, self.image_shape[:2])
        return pixels

    def _decode(self, image: Any) -> np.ndarray | str:
        channels = self.image_shape[2]
        if channels < _shape(image)[2] and not self.discards_colour:
            return "the image has become one in colour; pass --channels 3, or 1 to make it grey"
        return _pixels(image, channels, self.image_size)


def _check_size(name: str, shape: tuple[int, ...], size: tuple[int, int], other: str = "") -> None:
    if shape[:2] != size:
        raise ValueError(
            f"The images differ in size. Expected: all {size[0]}x{size[1]} (height x width). "
            f"Received: {shape[0]}x{shape[1]} in '{printable(name)}'{other}. Pass --image-size 64."
        )
