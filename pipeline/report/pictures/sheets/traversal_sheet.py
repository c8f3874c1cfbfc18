"""A traversal of one image along the axes of a block, as one picture of exact pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    ANCHOR_GAP,
    FRAME,
    GAP,
    TileSheet,
    cell_size,
    edges,
    title_font,
)

SIZE = 22  # font size
STRIP = 36  # pixels of the line above the columns
PADDING = 14  # pixels between the names of the axes and the images


def traversal_sheet(
    steps: np.ndarray,
    cells: np.ndarray,
    accepted: np.ndarray,
    axes: np.ndarray,
    labels: Sequence[str],
) -> bytes:
    """Draws one row per axis and one column per step, with a gap on either side of step 0.

    Pixels are repeated, never smoothed. Rejected cells have a red frame.

    Args:
        steps: Floats of shape `(columns,)`, ascending.
        cells: uint8 of shape `(rows, columns, height, width, channels)`, with 1 or 3 channels.
        accepted: Booleans of shape `(rows, columns)`.
        axes: Integers of shape `(rows,)`: number of the axis of each row.
        labels: One text per row, written below the number of its axis.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    _check(steps, cells, accepted, axes, labels)
    font = title_font(SIZE)
    names = [(f"axis {axis}", label) for axis, label in zip(axes, labels, strict=True)]
    height, width = cell_size(cells)
    longest = max(font.getlength(line) for lines in names for line in lines)
    beside = FRAME + round(longest) + PADDING
    lefts = [beside + left for left in _lefts(steps, width)]
    sheet = TileSheet(edges(len(cells), height, STRIP), lefts, (height, width))
    for left, step in zip(lefts, steps, strict=True):
        sheet.write(_spelt(float(step)), (left + width // 2, STRIP - PADDING), font, "ms")
    for row, lines in enumerate(names):
        middle = sheet.tops[row] + height // 2
        for line, anchor in zip(lines, ("rd", "ra"), strict=True):
            sheet.write(line, (beside - PADDING, middle), font, anchor)
        for column, passed in enumerate(accepted[row]):
            sheet.place(row, column, cells[row, column], passed)
    return sheet.png()


def _lefts(steps: np.ndarray, width: int) -> list[int]:
    """Left edges of the columns."""
    further = (ANCHOR_GAP - GAP) * ((steps >= 0).astype(int) + (steps > 0))
    further -= further[0]
    return (np.array(edges(len(steps), width)) + further).tolist()


def _spelt(step: float) -> str:
    """A number with its sign; 0 has no sign."""
    return f"{step:+g}".replace("-", "\N{MINUS SIGN}") if step else "0"


def _check(
    steps: np.ndarray,
    cells: np.ndarray,
    accepted: np.ndarray,
    axes: np.ndarray,
    labels: Sequence[str],
) -> None:
    fits = cells.ndim == 5 and cells.shape[-1] in (1, 3) and cells.size
    grid = (len(axes), len(steps))
    if not fits or cells.shape[:2] != grid or accepted.shape != grid or len(labels) != len(axes):
        raise ValueError(
            "The sheet needs one image for each axis and step. Expected: cells (rows, columns, "
            "height, width, 1 or 3), accepted (rows, columns), one axis and label per row, one "
            f"step per column. Received: cells {cells.shape}, accepted {accepted.shape}, "
            f"{len(axes)} axes, {len(labels)} labels and {len(steps)} steps. Pass all of the same "
            "axes and steps."
        )
