"""The form that an import gives to images: levels, ground, size."""

from __future__ import annotations

from dataclasses import dataclass

from latentloom.pipeline.importing.fitting import Colour, Fit
from latentloom.pipeline.importing.levels import Levels, Range

Size = int | tuple[int, int]
"""Side of a square, or height and width, in pixels."""


@dataclass(frozen=True)
class ImageForm:
    """The form that an import gives to images.

    Args:
        fit: How they become images of one size, or None if they must have one.
        ground: Colour behind transparent images; white by default.
        levels: How their values become levels of 0 to 255, or None for 8-bit images as they are.
    """

    fit: Fit | None = None
    ground: Colour | None = None
    levels: Levels | None = None

    @classmethod
    def of(
        cls,
        image_size: Size | None = None,
        fit: str | None = None,
        ground: str | None = None,
        value_range: Range | None = None,
    ) -> ImageForm:
        """Returns the form for the options of an import.

        Raises:
            ValueError: If an option is unknown, or `fit` stands without `image_size`.
        """
        colour = None if ground is None else _colour(ground)
        if image_size is None and fit is not None:
            raise ValueError(
                "There is no size to fit images to. Expected: `fit` beside `image_size`. "
                f"Received: fit={fit}. Pass --image-size too, or drop --fit."
            )
        fitting = None
        if image_size is not None:
            fitting = Fit(height_and_width(image_size), fit or "pad", colour)
        return cls(fitting, colour, Levels.of(value_range))

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that images get, or None if they must have one size."""
        return None if self.fit is None else self.fit.size

    @property
    def is_coloured(self) -> bool:
        """Whether the ground is neither black nor white nor grey."""
        return self.ground is not None and len(set(self.ground)) > 1


def height_and_width(image_size: Size) -> tuple[int, int]:
    """Returns a size as height and width.

    Raises:
        ValueError: If one of them is below 1.
    """
    square = isinstance(image_size, int)
    size = (image_size, image_size) if square else tuple(image_size)
    if len(size) != 2 or min(size) < 1:
        raise ValueError(
            "Option `image_size` is too small. Expected: at least 1, or height and width. "
            f"Received: image_size={image_size}. Raise it."
        )
    return size[0], size[1]


def _colour(text: str) -> Colour:
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise ValueError(
            "The colour of the ground is unknown. Expected: a name such as black or lightblue, or "
            f"#rrggbb. Received: ground={text}. Pass --ground with one of them."
        ) from error
    return red, green, blue


AS_STORED = ImageForm()
"""The form of images that keep their size and their levels."""
