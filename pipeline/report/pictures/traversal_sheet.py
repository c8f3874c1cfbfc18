"""One image on its way along the axes of a block, as one picture of exact pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from latentloom.pipeline.report.pictures.mosaic import (
    ANCHOR_GAP,
    FRAME,
    GAP,
    RED,
    TITLE,
    cell_size,
    enlarge,
    title_font,
)

SIZE = 22  # of the font
STRIP = 36  # pixels of the line above the columns
PADDING = 14  # pixels between the names of the axes and the images


def traversal_sheet(
    steps: np.ndarray,
    cells: np.ndarray,
    accepted: np.ndarray,
    axes: np.ndarray,
    labels: Sequence[str],
) -> bytes:
    """Draws one row an axis and one column a step, with a gap on either side of step 0.

    Pixels are repeated, never smoothed. Rejected cells have a red frame.

    Args:
        steps: Floats of shape `(columns,)`, ascending.
        cells: uint8 of shape `(rows, columns, height, width, channels)`, with 1 or 3 channels.
        accepted: Booleans of shape `(rows, columns)`.
        axes: Integers of shape `(rows,)`: number of the axis of each row.
        labels: A text a row, written below the number of its axis.

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
    size = (lefts[-1] + width, STRIP + len(cells) * (height + GAP) - GAP)
    picture, tiles = Image.new("RGBA", size), enlarge(cells)
    draw = ImageDraw.Draw(picture)
    for left, step in zip(lefts, steps, strict=True):
        place = (left + width // 2, STRIP - PADDING)
        draw.text(place, _spelt(float(step)), TITLE, font, anchor="ms")
    for row, lines in enumerate(names):
        top = STRIP + row * (height + GAP)
        middle = top + height // 2
        for line, anchor in zip(lines, ("rd", "ra"), strict=True):
            draw.text((beside - PADDING, middle), line, TITLE, font, anchor=anchor)
        for left, tile, passed in zip(lefts, tiles[row], accepted[row], strict=True):
            if not passed:
                draw.rectangle((left, top, left + width - 1, top + height - 1), fill=RED)
            picture.paste(Image.fromarray(tile), (left + FRAME, top + FRAME))
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _lefts(steps: np.ndarray, width: int) -> list[int]:
    """Left edges of the columns."""
    further = (ANCHOR_GAP - GAP) * ((steps >= 0).astype(int) + (steps > 0))
    further -= further[0]
    return (np.arange(len(steps)) * (width + GAP) + further).tolist()


def _spelt(step: float) -> str:
    """A number with its sign, of which 0 has none."""
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
            "The sheet has not one image for each axis and step. Expected: cells (rows, columns, "
            "height, width, 1 or 3), accepted (rows, columns), an axis and a label a row, a step a "
            f"column. Received: cells {cells.shape}, accepted {accepted.shape}, {len(axes)} axes, "
            f"{len(labels)} labels and {len(steps)} steps. Pass all of the same axes and steps."
        )
