"""Decodes image files of common formats to arrays of one shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.changes import change_columns
from latentloom.pipeline.importing.formats.image_opening import (
    FORMATS,
    File,
    later_frames,
    shape_of,
    with_image,
)
from latentloom.pipeline.importing.formats.image_pixels import Decoded, decode_image, peak_of_image
from latentloom.pipeline.importing.formats.pixel_depth import depth_of
from latentloom.pipeline.importing.formats.pixel_values import is_grey
from latentloom.pipeline.importing.image_form import ImageForm
from latentloom.pipeline.importing.levels import find_levels
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.storage.texts import printable


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
        found = with_image(
            file,
            lambda image: (shape_of(image), later_frames(image), depth_of(image) or "8 bits"),
            scales=bool(self.form.levels),
        )
        if isinstance(found, str):
            self.add_unusable(name, found)
            return
        shape, later, depth = found
        self.depths.setdefault(depth, name)
        self.first_stack = self.first_stack or (name if later else "")
        self.later_frames += later
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
        peaks = (with_image(file, peak_of_image, scales=False) for file in files)
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
        decoded = with_image(file, self._decode, scales=self.form.levels is not None)
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
