"""Tiles and names as one picture of exact pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

TILE = 96  # pixels to which smaller images are enlarged, by a whole factor
FRAME = 4  # pixels around a tile, red where it is rejected
GAP = 4  # pixels between cells
ANCHOR_GAP = 24  # pixels between the real images and the others
RED = (217, 83, 79, 255)
TITLE = (122, 131, 143, 255)


class TileSheet:
    """A picture with a grid of cells on a transparent background: framed tiles, and names.

    Pixels of tiles are repeated, never smoothed.

    Args:
        tops: Upper edge of every row of cells, in pixels.
        lefts: Left edge of every column.
        cell: Height and width of a cell, see `cell_size`.
        below: Pixels below the last row, for names.
    """

    def __init__(
        self, tops: Sequence[int], lefts: Sequence[int], cell: tuple[int, int], below: int = 0
    ):
        self.tops, self.lefts, self.cell = list(tops), list(lefts), cell
        height, width = cell
        size = (self.lefts[-1] + width, self.tops[-1] + height + below)
        self._picture = Image.new("RGBA", size)
        self._draw = ImageDraw.Draw(self._picture)

    def place(self, row: int, column: int, image: np.ndarray, accepted: bool = True) -> None:
        """Puts an image, uint8 `(height, width, 1 or 3)`, into a cell, framed red if rejected."""
        top, left = self.tops[row], self.lefts[column]
        if not accepted:
            height, width = self.cell
            self.fill((top, left, top + height, left + width), RED)
        self._picture.paste(Image.fromarray(enlarge(image)), (left + FRAME, top + FRAME))

    def fill(self, box: tuple[int, int, int, int], color: tuple[int, int, int, int]) -> None:
        """Fills the area `(top, left, bottom, right)`, bottom and right excluded."""
        top, left, bottom, right = box
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=color)

    def write(
        self, text: str, place: tuple[float, float], font: ImageFont.FreeTypeFont, anchor: str
    ) -> None:
        """Writes a name at a place `(x, y)`, aligned by a text anchor of Pillow."""
        self._draw.text(place, text, TITLE, font, anchor=anchor)

    def write_strip(self, text: str, row: int, height: int, font: ImageFont.FreeTypeFont) -> None:
        """Writes a title into the strip above a row and clips it to the strip."""
        strip = Image.new("RGBA", (self._picture.width, height))
        ImageDraw.Draw(strip).text((FRAME, height - 5), text, TITLE, font, anchor="ls")
        self._picture.paste(strip, (0, self.tops[row] - height))

    def pixels(self) -> np.ndarray:
        """RGBA pixels, uint8 of shape `(height, width, 4)`, transparent between the tiles."""
        return np.asarray(self._picture)

    def png(self) -> bytes:
        """The picture as a PNG file with transparent background."""
        buffer = io.BytesIO()
        self._picture.save(buffer, format="png", optimize=True)
        return buffer.getvalue()


def edges(count: int, size: int, start: int = 0, between: int = GAP) -> list[int]:
    """First pixels of `count` cells of this size in a line."""
    return [start + place * (size + between) for place in range(count)]


def edges_after_anchor(count: int, size: int, start: int = 0) -> list[int]:
    """Like `edges`, with one more cell before the others, separated by the wider `ANCHOR_GAP`."""
    return [start, *edges(count, size, start + size + ANCHOR_GAP)]


def title_font(size: int) -> ImageFont.FreeTypeFont:
    """The font of titles, which comes with matplotlib, so pages look the same everywhere."""
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def fit(name: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Truncates a name to a width, with an ellipsis."""
    shown = name
    while len(shown) > 1 and font.getlength(shown) > width:
        shown = shown.removesuffix("…")[:-1] + "…"
    return shown


def cell_size(images: np.ndarray) -> tuple[int, int]:
    """Height and width of the cell for images `(..., height, width, channels)`."""
    height, width = images.shape[-3:-1]
    factor = _enlargement(images)
    return height * factor + 2 * FRAME, width * factor + 2 * FRAME


def enlarge(images: np.ndarray) -> np.ndarray:
    """Enlarges images `(..., height, width, channels)` by a whole factor and makes them RGBA."""
    factor = _enlargement(images)
    images = images.repeat(factor, axis=-3).repeat(factor, axis=-2)
    colors = np.broadcast_to(images, (*images.shape[:-1], 3))
    opaque = np.full((*images.shape[:-1], 1), 255, np.uint8)
    return np.concatenate([colors, opaque], axis=-1)


def _enlargement(images: np.ndarray) -> int:
    return max(1, round(TILE / max(images.shape[-3:-1])))
