"""Real images, accepted and rejected variants of every class, as one picture of exact pixels."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageFont

from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    ANCHOR_GAP,
    FRAME,
    GAP,
    TileSheet,
    cell_size,
    edges,
    fit,
    title_font,
)
from latentloom.pipeline.report.pictures.shown import ShownClass

COLUMNS = 4
"""Images of each of the three groups in a row."""
HEADS = ("real", "accepted", "rejected")


def class_sheet(shown: Sequence[ShownClass]) -> bytes:
    """Draws one titled row per class: real images, accepted and rejected variants.

    Pixels are repeated, never smoothed. Rejected variants have a red frame and their reason below.

    Args:
        shown: The classes, with uint8 images `(n, height, width, 1 or 3)` of one height and width;
            the first `COLUMNS` of each group are drawn.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: There is no class.
    """
    if not shown:
        raise ValueError(
            "The sheet has nothing to show. Expected: at least one class. Received: none. Pass a "
            "class with a real image."
        )
    height, width = cell_size(shown[0].real)
    starts = edges(len(HEADS), COLUMNS * (width + GAP), between=ANCHOR_GAP)
    lefts = [left for start in starts for left in edges(COLUMNS, width, start)]
    titles, reasons = title_font(max(14, (lefts[-1] + width) // 64)), title_font(width // 9)
    strip, below = round(1.9 * titles.size), round(1.6 * reasons.size)
    tops = edges(len(shown), height, 2 * strip, strip + below)
    sheet = TileSheet(tops, lefts, (height, width), below)
    for head, start in zip(HEADS, starts, strict=True):
        sheet.write(head, (start + FRAME, strip - 5), titles, "ls")
    for row, some in enumerate(shown):
        sheet.write_strip(some.title, row, strip, titles)
        for place, group in enumerate((some.real, some.accepted, some.rejected)):
            for column, image in enumerate(group[:COLUMNS]):
                sheet.place(row, place * COLUMNS + column, image, accepted=place < 2)
        _write_reasons(sheet, row, some, reasons)
    return sheet.png()


def _write_reasons(
    sheet: TileSheet, row: int, some: ShownClass, font: ImageFont.FreeTypeFont
) -> None:
    height, width = sheet.cell
    for left, reason in zip(sheet.lefts[-COLUMNS:], some.reasons, strict=False):
        place = (left + width / 2, sheet.tops[row] + height + 0.8 * font.size)
        sheet.write(fit(reason, font, width), place, font, "mm")
