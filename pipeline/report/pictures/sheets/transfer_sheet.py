"""Attributes that images take from donors, as pictures of exact pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    FRAME,
    GAP,
    TileSheet,
    cell_size,
    edges,
    edges_after_anchor,
    fit,
    title_font,
)

SIZE, STRIP = 14, 24  # of the font, and of the strip above a row


def transfer_sheet(rows: np.ndarray, heads: Sequence[str], titles: Sequence[str]) -> bytes:
    """Draws titled rows of images below heads of their columns. Pixels are repeated.

    Args:
        rows: uint8 of shape `(rows, columns, height, width, channels)`, with 1 or 3 channels.
        heads: One text above each column.
        titles: One text above each row.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    if rows.ndim != 5 or not rows.size or rows.shape[:2] != (len(titles), len(heads)):
        raise ValueError(
            "The sheet needs rows of images with a title each. Expected: rows (rows, columns, "
            f"height, width, channels). Received: {rows.shape}, {len(heads)} heads and "
            f"{len(titles)} titles. Pass all of the same rows."
        )
    height, width = cell_size(rows)
    font = title_font(SIZE)
    tops = edges(len(rows), height, 2 * STRIP, STRIP + GAP)
    sheet = TileSheet(tops, edges(len(heads), width), (height, width))
    for head, left in zip(heads, sheet.lefts, strict=True):
        sheet.write(fit(head, font, width), (left + FRAME, STRIP - 5), font, "ls")
    for number, (images, title) in enumerate(zip(rows, titles, strict=True)):
        sheet.write_strip(title, number, STRIP, font)
        for column, image in enumerate(images):
            sheet.place(number, column, image)
    return sheet.png()


def blend_sheet(
    cells: np.ndarray, donors: tuple[np.ndarray, np.ndarray], attributes: tuple[str, str]
) -> bytes:
    """Draws a grid of images between an anchor and two donors. Pixels are repeated.

    Args:
        cells: uint8 of shape `(rows, columns, height, width, channels)`, with 1 or 3 channels.
        donors: The donor that the columns lead to, above the last one, and the donor that the rows
            lead to, left of the last one.
        attributes: What is taken from either.

    Returns:
        A PNG file with transparent background.
    """
    height, width = cell_size(cells)
    font = title_font(SIZE)
    tops = edges_after_anchor(len(cells), height)
    lefts = edges_after_anchor(cells.shape[1], width)
    sheet = TileSheet(tops, lefts, (height, width))
    sheet.place(0, cells.shape[1], donors[0])
    sheet.place(len(cells), 0, donors[1])
    right = (lefts[-1] - GAP, tops[0] + height / 2)
    sheet.write(f"{attributes[0]} of \N{RIGHTWARDS ARROW}", right, font, "rm")
    below = (lefts[0] + width / 2, tops[-1] - GAP - SIZE)
    sheet.write(f"{attributes[1]} of \N{DOWNWARDS ARROW}", below, font, "ms")
    for row, images in enumerate(cells):
        for column, image in enumerate(images):
            sheet.place(row + 1, column + 1, image)
    return sheet.png()
