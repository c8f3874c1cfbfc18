"""Images that exchange parts of their codes, as one picture of exact pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from latentloom.pipeline.report.pictures.mosaic import (
    ANCHOR_GAP,
    FRAME,
    GAP,
    TITLE,
    cell_size,
    compose_mosaic,
    title_font,
)

LARGEST, SMALLEST = 24, 14  # sizes of the font; a name too long even for the smallest is cut
PADDING = 10  # pixels between a name and its image
RULE = 2  # pixels of the lines between the real images and the others


def exchange_grid(
    images: np.ndarray,
    cells: np.ndarray,
    names: Sequence[str],
    parts: tuple[str, str],
    accepted: np.ndarray | None = None,
) -> bytes:
    """Draws real images at the left and at the top, and what is made of each pair between them.

    Pixels are repeated, never smoothed. Rejected cells have a red frame.

    Args:
        images: uint8 of shape `(n, height, width, channels)`, with 1 or 3 channels.
        cells: uint8 of shape `(n, n, height, width, channels)`: the first axis is the image at
            the left, the second the image at the top.
        names: A name for each image.
        parts: What a cell has of the image at the left, and what of the image at the top.
        accepted: Booleans of shape `(n, n)`, or None if all were accepted.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
        TypeError: The images are not uint8.
    """
    _check(images, cells, names, accepted)
    cell = cell_size(images)
    font, names = _fit(names, cell[1])
    above = round(1.2 * font.size) + PADDING
    beside = FRAME + round(max(map(font.getlength, names))) + PADDING
    picture = Image.fromarray(
        np.pad(compose_exchange(images, cells, accepted), ((above, 0), (beside, 0), (0, 0)))
    )
    draw = ImageDraw.Draw(picture)
    for place, name in enumerate(names):
        row, column = (ANCHOR_GAP + (place + 1) * (s + GAP) - GAP + s // 2 for s in cell)
        draw.text((beside + column, above - PADDING), name, TITLE, font, anchor="ms")
        draw.text((beside - PADDING, above + row), name, TITLE, font, anchor="rm")
    _name_parts(draw, parts, (above, beside), cell)
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def compose_exchange(
    images: np.ndarray, cells: np.ndarray, accepted: np.ndarray | None = None
) -> np.ndarray:
    """Lays tiles and lines out as `exchange_grid` does, without names.

    Args:
        images: As in `exchange_grid`.
        cells: As in `exchange_grid`.
        accepted: As in `exchange_grid`.

    Returns:
        RGBA pixels, uint8 of shape `(height, width, 4)`, transparent between the tiles.
    """
    height, width = cell_size(images)
    top, grid = compose_mosaic(images[:1], images[None]), compose_mosaic(images, cells, accepted)
    top[:, :width] = 0  # the corner
    gap = np.zeros((ANCHOR_GAP, grid.shape[1], 4), np.uint8)
    pixels = np.concatenate([top, gap, grid])
    middle = (ANCHOR_GAP - RULE) // 2
    pixels[height + middle : height + middle + RULE] = TITLE
    pixels[:, width + middle : width + middle + RULE] = TITLE
    return pixels


def _name_parts(
    draw: ImageDraw.ImageDraw,
    parts: tuple[str, str],
    origin: tuple[int, int],
    cell: tuple[int, int],
) -> None:
    """Says in the corner what comes from the left, below it, and from the top, right of it."""
    (above, beside), (height, width) = origin, cell
    font, (left, top) = _fit(parts, width - round(title_font(LARGEST).getlength(" →")))
    draw.text((beside + width, above + height // 3), f"{top} →", TITLE, font, anchor="rm")
    draw.text((beside + width // 2, above + height), f"{left} ↓", TITLE, font, anchor="md")


def _fit(names: Sequence[str], width: int) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """The largest font in which all names fit, and the names, cut where they must be."""
    font = title_font(SMALLEST)
    for size in range(LARGEST, SMALLEST - 1, -1):
        font = title_font(size)
        if max(map(font.getlength, names)) <= width:
            break
    return font, [_cut(name, font, width) for name in names]


def _cut(name: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(name) <= width:
        return name
    while name and font.getlength(name + "…") > width:
        name = name[:-1]
    return name + "…"


def _check(
    images: np.ndarray, cells: np.ndarray, names: Sequence[str], accepted: np.ndarray | None
) -> None:
    if images.dtype != np.uint8 or cells.dtype != np.uint8:
        raise TypeError(
            "The grid needs images as they are stored. Expected: uint8 images and cells. Received: "
            f"{images.dtype} and {cells.dtype}. Convert them to uint8 in [0, 255]."
        )
    count = len(images)
    square = (count, count)
    fits = images.ndim == 4 and images.shape[-1] in (1, 3) and images.size
    fits = fits and cells.shape == (*square, *images.shape[1:]) and len(names) == count
    if not fits or (accepted is not None and accepted.shape != square):
        verdicts = None if accepted is None else accepted.shape
        raise ValueError(
            "The grid has not one cell for each two images. Expected: images (n, height, width, 1 "
            "or 3), cells (n, n, height, width, same channels), n names and accepted (n, n) or "
            f"None. Received: images {images.shape}, cells {cells.shape}, {len(names)} names and "
            f"accepted {verdicts}. Pass all of the same n images."
        )
