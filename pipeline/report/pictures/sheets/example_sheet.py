"""Images in titled rows, as one picture of exact pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    GAP,
    TileSheet,
    cell_size,
    edges,
    title_font,
)

SIZE, STRIP = 20, 38  # of the font, and of the strip above a row


def example_sheet(
    rows: Sequence[np.ndarray], titles: Sequence[str], least_columns: int = 1
) -> bytes:
    """Draws images in rows, each below its title. Pixels are repeated, never smoothed.

    Args:
        rows: uint8 of shape `(n, height, width, 1 or 3)` each, of one height and width; `n` may
            differ from row to row.
        titles: One line of text above each row.
        least_columns: Places of a row at least, so that titles fit above few images.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: There are no images, or the shapes do not fit together.
    """
    shapes = {row.shape[1:] for row in rows}
    if len(shapes) != 1 or len(rows) != len(titles) or max(map(len, rows)) == 0:
        raise ValueError(
            "The sheet needs rows of images of one size. Expected: rows (n, height, width, "
            f"channels) with a title each. Received: shapes={[row.shape for row in rows]}, "
            f"{len(titles)} titles. Pass images of one data set."
        )
    height, width = cell_size(max(rows, key=len))
    tops = edges(len(rows), height, STRIP, STRIP + GAP)
    columns = max(least_columns, *map(len, rows))
    sheet = TileSheet(tops, edges(columns, width), (height, width))
    font = title_font(SIZE)
    for number, (row, title) in enumerate(zip(rows, titles, strict=True)):
        sheet.write_strip(title, number, STRIP, font)
        for column, image in enumerate(row):
            sheet.place(number, column, image)
    return sheet.png()
