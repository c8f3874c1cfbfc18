"""Images that exchange parts of their codes, as one picture of exact pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import ImageFont

from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    ANCHOR_GAP,
    FRAME,
    TITLE,
    TileSheet,
    cell_size,
    edges_after_anchor,
    title_font,
)

LARGEST, SMALLEST = 24, 14  # font sizes; a name too long for the smallest is truncated
PADDING = 10  # pixels between a name and its image
RULE = 2  # pixels of the lines between the real images and the others


def exchange_grid(
    images: np.ndarray,
    cells: np.ndarray,
    names: Sequence[str],
    parts: tuple[str, str],
    accepted: np.ndarray | None = None,
) -> bytes:
    """Draws real images at the left and at the top, and the decoded image of each pair between.

    Pixels are repeated, never smoothed. Rejected cells have a red frame.

    Args:
        images: uint8 of shape `(n, height, width, channels)`, with 1 or 3 channels.
        cells: uint8 of shape `(n, n, height, width, channels)`: the first axis is the image at
            the left, the second the image at the top.
        names: A name for each image.
        parts: Blocks that a cell takes from the image at the left, and from the image at the top.
        accepted: Booleans of shape `(n, n)`, or None if all were accepted.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
        TypeError: The images are not uint8.
    """
    _check(images, cells, names, accepted)
    height, width = cell_size(images)
    font, names = _fit(names, width)
    above = round(1.2 * font.size) + PADDING
    beside = FRAME + round(max(map(font.getlength, names))) + PADDING
    sheet = exchange_sheet(images, cells, accepted, (above, beside))
    for name, top, left in zip(names, sheet.tops[1:], sheet.lefts[1:], strict=True):
        sheet.write(name, (left + width // 2, above - PADDING), font, "ms")
        sheet.write(name, (beside - PADDING, top + height // 2), font, "rm")
    _name_parts(sheet, parts)
    return sheet.png()


def exchange_sheet(
    images: np.ndarray,
    cells: np.ndarray,
    accepted: np.ndarray | None = None,
    origin: tuple[int, int] = (0, 0),
) -> TileSheet:
    """Places tiles and lines of an `exchange_grid`, without names.

    Args:
        images: As in `exchange_grid`.
        cells: As in `exchange_grid`.
        accepted: As in `exchange_grid`.
        origin: Pixels above and beside the tiles, for names.
    """
    (height, width), (above, beside), count = cell_size(images), origin, len(images)
    tops, lefts = edges_after_anchor(count, height, above), edges_after_anchor(count, width, beside)
    sheet = TileSheet(tops, lefts, (height, width))
    for row, image in enumerate(images, start=1):
        sheet.place(0, row, image)
        sheet.place(row, 0, image)
        for column, cell in enumerate(cells[row - 1], start=1):
            passed = accepted is None or accepted[row - 1, column - 1]
            sheet.place(row, column, cell, passed)
    top, left = (start + (ANCHOR_GAP - RULE) // 2 for start in (above + height, beside + width))
    sheet.fill((top, beside, top + RULE, lefts[-1] + width), TITLE)
    sheet.fill((above, left, tops[-1] + height, left + RULE), TITLE)
    return sheet


def _name_parts(sheet: TileSheet, parts: tuple[str, str]) -> None:
    """Names in the corner the blocks from the left image (↓) and from the top image (→)."""
    (height, width), above, beside = sheet.cell, sheet.tops[0], sheet.lefts[0]
    font, (left, top) = _fit(parts, width - round(title_font(LARGEST).getlength(" →")))
    sheet.write(f"{top} →", (beside + width, above + height // 3), font, "rm")
    sheet.write(f"{left} ↓", (beside + width // 2, above + height), font, "md")


def _fit(names: Sequence[str], width: int) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """The largest font in which all names fit, and the names, truncated if necessary."""
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
            "The grid needs images as stored. Expected: uint8 images and cells. Received: "
            f"{images.dtype} and {cells.dtype}. Convert them to uint8 in [0, 255]."
        )
    count = len(images)
    square = (count, count)
    fits = images.ndim == 4 and images.shape[-1] in (1, 3) and images.size
    fits = fits and cells.shape == (*square, *images.shape[1:]) and len(names) == count
    if not fits or (accepted is not None and accepted.shape != square):
        verdicts = None if accepted is None else accepted.shape
        raise ValueError(
            "The grid needs one cell per pair of images. Expected: images (n, height, width, 1 "
            "or 3), cells (n, n, height, width, same channels), n names and accepted (n, n) or "
            f"None. Received: images {images.shape}, cells {cells.shape}, {len(names)} names and "
            f"accepted {verdicts}. Pass all of the same n images."
        )
