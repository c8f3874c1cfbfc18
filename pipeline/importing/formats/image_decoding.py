"""Decodes image files of common formats to arrays of one shape."""

from __future__ import annotations

import contextlib
import stat
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.changes import change_columns
from latentloom.pipeline.importing.formats.image_pixels import Decoded, decode_image, peak_of_image
from latentloom.pipeline.importing.formats.pixel_depth import depth_of, is_read_whole
from latentloom.pipeline.importing.formats.pixel_values import is_grey
from latentloom.pipeline.importing.image_form import ImageForm
from latentloom.pipeline.importing.levels import find_levels
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.observations import MOST_PIXELS
from latentloom.pipeline.storage.texts import printable

FORMATS = (
    *("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000", "PPM", "AVIF", "DIB", "ICO", "ICNS"),
    *("TGA", "PCX", "SGI", "SUN", "DDS", "QOI", "PSD", "XBM", "XPM", "MSP"),
)
"""Formats of Pillow that hold pixels; others need programs, or are stubs, films or documents."""
_STACKS = ("TIFF", "GIF", "WEBP", "PNG", "AVIF", "MPO")
_SCALE = "pass --range LOW,HIGH, such as 0,65535, or --range file"
_RESAVE = "Pillow reads 8 of them in this format; save it as PNG or TIFF"
_DAMAGE = Exception  # Pillow's decoders raise errors of a dozen types

File = Path | IO[bytes]


def _with_image(file: File, use: Callable[[Any], Any], *, scales: bool) -> Any:
    """Opens an image by its header and returns `use(image)`, or the reason why it is unusable.

    An image of more than 8 bits a channel is unusable unless its values are scaled.
    """
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


def _shape(image: Any) -> tuple[int, int, int]:
    channels = 1 if is_grey(image) else 3  # before EXIF is read, which may load the pixels
    turned = image.getexif().get(0x0112, 1) >= 5  # EXIF orientation: the sides are swapped
    turned = turned and image.format != "TIFF"  # whose size Pillow swaps already
    width, height = image.size[::-1] if turned else image.size
    return height, width, channels


def _later_frames(image: Any) -> int:
    """Returns the number of pages or frames after the first, which are not read."""
    if image.format not in _STACKS or not getattr(image, "is_animated", False):
        return 0
    try:
        return max(image.n_frames - 1, 1)
    except _DAMAGE:  # of a later one
        return 1


@dataclass
class Headers:
    """What the headers of images say together, whatever their order.

    Args:
        form: The form that they are to get.
    """

    form: ImageForm
    first: str = ""
    size: tuple[int, int] = (0, 0)
    channels: int = 0
    reason: str = field(default="no images", init=False)
    first_stack: str = field(default="", init=False)
    later_frames: int = field(default=0, init=False)
    depths: dict[str, str] = field(default_factory=dict, init=False)

    def add(self, name: str, file: File) -> None:
        """Reads the header of one image; an unreadable one is left out.

        Raises:
            ValueError: If it differs in size from the first one and no size was asked for.
        """
        found = _with_image(
            file,
            lambda image: (_shape(image), _later_frames(image), depth_of(image) or "8 bits"),
            scales=bool(self.form.levels),
        )
        if isinstance(found, str):
            self.add_unusable(name, found)
            return
        shape, later_frames, depth = found
        self.depths.setdefault(depth, name)
        self.first_stack = self.first_stack or (name if later_frames else "")
        self.later_frames += later_frames
        if not self.first:
            self.first, self.size = name, shape[:2]
        elif self.form.size is None:
            height, width = self.size
            _check_size(name, shape, self.size, f", and {height}x{width} in '{self.first}'")
        self.channels = max(self.channels, shape[2])

    def add_unusable(self, name: str, reason: str) -> None:
        """Remembers why an image is left out, in case all are."""
        self.reason = f"'{printable(name)}': {reason}"

    def decoder(self, channels: int | None = None) -> Decoder:
        """Returns the decoder of these images: to grey if all of them are, else to RGB.

        Args:
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.

        Raises:
            ValueError: If every image is unreadable.
        """
        if not self.first:
            raise ValueError(
                f"No image can be used. Expected: {', '.join(FORMATS)} files, with a label. "
                f"Received: {self.reason}. Repair that first."
            )
        self._check_depths()
        chosen = channels is not None
        reason = "the pages or frames after the first, of images with several"
        frames = Ignored(reason, self.later_frames, self.first_stack)
        told = [frames] if self.later_frames else []
        shape = (*(self.form.size or self.size), channels or self.channels)
        return Decoder(shape, self.form, discards_colour=chosen, ignored=told)

    def _check_depths(self) -> None:
        """Rejects one range for images whose values are of different depths."""
        levels = self.form.levels
        if levels is not None and not levels.is_own and len(self.depths) > 1:
            told = [f"{depth} in '{printable(name)}'" for depth, name in self.depths.items()]
            raise ValueError(
                "The images differ in the depth of their values. Expected: one depth for a range. "
                f"Received: {' and '.join(told[:2])}. Save them at one depth, or pass --range file "
                "for the values of each."
            )


@dataclass(frozen=True)
class Decoder:
    """Decodes image files to one shape.

    Applies the EXIF orientation and the form, and shrinks with antialiasing.

    Args:
        image_shape: Event shape `(height, width, channels)`, 1 or 3 channels.
        form: The form that images get.
        discards_colour: Whether an image in colour may become grey.
        ignored: What it leaves out of the images.
    """

    image_shape: tuple[int, int, int]
    form: ImageForm
    discards_colour: bool = False
    ignored: list[Ignored] = field(default_factory=list)

    @classmethod
    def fit(
        cls,
        files: Iterable[tuple[str, File]],
        form: ImageForm,
        channels: int | None = None,
    ) -> Decoder:
        """Takes the shape from the headers of all images: grey if all of them are, else RGB.

        Args:
            files: Names and files.
            form: The form that they are to get.
            channels: As in `Headers.decoder`.

        Raises:
            ValueError: If every image is unreadable, or images differ in size and no size was
                asked for.
        """
        headers = Headers(form)
        for name, file in files:
            headers.add(name, file)
        return headers.decoder(channels)

    def levelled(self, source: str, files: Iterable[File]) -> Decoder:
        """Returns the decoder with levels for these images, as `find_levels` tells.

        Raises:
            ValueError: If the images are masks rather than pictures.
        """
        if self.form.levels is not None:
            return self
        peaks = (_with_image(file, peak_of_image, scales=False) for file in files)
        found = find_levels(source, (peak for peak in peaks if not isinstance(peak, str)))
        return replace(self, form=replace(self.form, levels=found))

    def __call__(self, name: str, file: File) -> Decoded | str:
        """Decodes one file.

        Args:
            name: Name of the file, for the error.
            file: Path or open binary file.

        Returns:
            The image in `image_shape`, or the reason why there is none.

        Raises:
            ValueError: If the image has another size and no size was asked for.
        """
        decoded = _with_image(file, self._decode, scales=self.form.levels is not None)
        if not isinstance(decoded, str):
            _check_size(name, decoded.pixels.shape, self.image_shape[:2])
        return decoded

    def examples(
        self, images: Sequence[Decoded], factors: dict[str, np.ndarray], ids: list[str]
    ) -> Examples:
        """Returns decoded images as a batch, with what was changed in them."""
        pixels = np.array([image.pixels for image in images], np.uint8)
        changes = change_columns([image.amounts for image in images])
        return Examples(pixels.reshape(-1, *self.image_shape), factors, ids, changes)

    def _decode(self, image: Any) -> Decoded | str:
        channels = self.image_shape[2]
        if channels == 1 and not is_grey(image) and not self.discards_colour:
            return "the image has become one in colour; pass --channels 3, or 1 to make it grey"
        return decode_image(image, channels, self.form)


def _check_size(name: str, shape: tuple[int, ...], size: tuple[int, int], other: str = "") -> None:
    if shape[:2] != size:
        raise ValueError(
            f"The images differ in size. Expected: all {size[0]}x{size[1]} (height x width). "
            f"Received: {shape[0]}x{shape[1]} in '{printable(name)}'{other}. "
            "Pass --image-size 64, which keeps shapes and pads, or crops with --fit crop."
        )
