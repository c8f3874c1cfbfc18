"""Fits images to a size: padded or cropped, so that shapes stay, or stretched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.augment.spelling import nearest
from latentloom.pipeline.importing.changes import CROPPED, PADDED, STRETCHED
from latentloom.pipeline.importing.resizing import resize_images

FITS = {"pad": PADDED, "crop": CROPPED, "stretch": STRETCHED}
"""The ways to fit an image, and what it has become then."""
LUMA = (19595, 38470, 7471)
"""Shares of red, green and blue in grey, of 2**16, as Pillow has them."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Fit:
    """Fits images to one size; those of its aspect are resized and nothing else.

    Args:
        size: Height and width in pixels.
        how: One of `FITS`.
        ground: Colour of the border; None for the median of the edge of each image.
    """

    size: tuple[int, int]
    how: str = "pad"
    ground: Colour | None = None

    def __post_init__(self):
        if self.how not in FITS:
            raise ValueError(
                f"The fit is unknown. Expected: one of {', '.join(FITS)}. "
                f"Received: fit={self.how}. {nearest(self.how, FITS)}"
            )

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Fits images, uint8 `(n, height, width, channels)`."""
        top, left, bottom, right = self.box(*images.shape[1:3])
        inner = resize_images(images[:, top:bottom, left:right], self.inner(*images.shape[1:3]))
        return self.framed(inner, images)

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Returns top, left, bottom and right of the part of an image that is shown."""
        shown_height, shown_width = height, width
        if self.how == "crop":
            new_height, new_width = self.size
            shown_height = max(1, min(height, round(width * new_height / new_width)))
            shown_width = max(1, min(width, round(height * new_width / new_height)))
        top, left = (height - shown_height) // 2, (width - shown_width) // 2
        return top, left, top + shown_height, left + shown_width

    def inner(self, height: int, width: int) -> tuple[int, int]:
        """Returns the height and width to which this part is resized."""
        if self.how != "pad":
            return self.size
        return self._kept(height, width)

    def framed(self, inner: np.ndarray, images: np.ndarray) -> np.ndarray:
        """Puts resized images in the middle of a border; `images` are those before."""
        height, width = inner.shape[1:3]
        if (height, width) == self.size:
            return inner
        framed = np.empty((len(inner), *self.size, inner.shape[3]), np.uint8)
        framed[:] = self._border(images)[:, None, None]
        top, left = (self.size[0] - height) // 2, (self.size[1] - width) // 2
        framed[:, top : top + height, left : left + width] = inner
        return framed

    def amount(self, height: int, width: int) -> float:
        """Returns how much an image of this size is changed; 0 if its aspect is the new one."""
        kept = self._kept(height, width)
        if kept == self.size:
            return 0.0
        if self.how == "pad":
            return 1 - kept[0] * kept[1] / (self.size[0] * self.size[1])
        if self.how == "crop":
            top, left, bottom, right = self.box(height, width)
            return 1 - (bottom - top) * (right - left) / (height * width)
        ratio = self.size[0] * width / (self.size[1] * height)
        return max(ratio, 1 / ratio)

    def _kept(self, height: int, width: int) -> tuple[int, int]:
        """Returns the largest size of this aspect that fits in."""
        new_height, new_width = self.size
        if new_height * width <= new_width * height:
            return new_height, max(1, round(width * new_height / height))
        return max(1, round(height * new_width / width)), new_width

    def _border(self, images: np.ndarray) -> np.ndarray:
        """Returns the colour of the border of each image, `(n, channels)`."""
        if self.ground is not None:
            return np.full((len(images), 1), 0) + ground_levels(self.ground, images.shape[3])
        sides = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
        edge = np.sort(np.concatenate(sides, axis=1), axis=1)
        return edge[:, edge.shape[1] // 2]


def ground_levels(ground: Colour, channels: int) -> np.ndarray:
    """Returns a colour as levels of `(channels,)`: RGB, or its luma."""
    if channels == 3:
        return np.array(ground)
    return np.array([(int(np.dot(ground, LUMA)) + (1 << 15)) >> 16])
