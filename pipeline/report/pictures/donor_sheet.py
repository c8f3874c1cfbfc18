"""Recombinations beside their donors, as one picture of exact pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

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

SIZE = 16  # of the font
STRIP = 26  # pixels of a line of text


def donor_sheet(
    donors: np.ndarray,
    results: np.ndarray,
    factors: Sequence[str],
    values: Sequence[Sequence[str]],
    accepted: np.ndarray,
) -> bytes:
    """Draws one row per recombination: the donor of each factor, a gap, then the result.

    Pixels are repeated, never smoothed. Rejected results have a red frame.

    Args:
        donors: uint8 of shape `(rows, factors, height, width, channels)`, with 1 or 3 channels.
        results: uint8 of shape `(rows, height, width, channels)`.
        factors: Name of the factor that each column of donors gives.
        values: For each row the name of the value that each donor gives.
        accepted: Booleans of shape `(rows,)`.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
    """
    fits = donors.ndim == 5 and donors.size and donors.shape[:2] == (len(results), len(factors))
    if not fits or results.shape[1:] != donors.shape[2:] or len(values) != len(results):
        raise ValueError(
            "The sheet has not one donor a factor and one result a row. Expected: donors (rows, "
            f"factors, height, width, channels). Received: donors {donors.shape}, results "
            f"{results.shape}, {len(factors)} factors. Pass all of the same rows."
        )
    height, width = cell_size(results)
    count = len(factors)
    lefts = [column * (width + GAP) for column in range(count)]
    lefts.append(count * (width + GAP) - GAP + ANCHOR_GAP)
    tiles = enlarge(np.concatenate([donors, results[:, None]], axis=1))
    picture = Image.new("RGBA", (lefts[-1] + width, STRIP + len(results) * (height + STRIP + GAP)))
    draw, font = ImageDraw.Draw(picture), title_font(SIZE)
    for left, name in zip(lefts, [*factors, "result"], strict=True):
        draw.text((left + FRAME, STRIP - 6), fit(name, font, width), TITLE, font, anchor="ls")
    for row in range(len(results)):
        top = STRIP + row * (height + STRIP + GAP)
        if not accepted[row]:
            box = (lefts[-1], top, lefts[-1] + width - 1, top + height - 1)
            draw.rectangle(box, fill=RED)
        for left, tile in zip(lefts, tiles[row], strict=True):
            picture.paste(Image.fromarray(tile), (left + FRAME, top + FRAME))
        for left, name in zip(lefts[:-1], values[row], strict=True):
            name = fit(name, font, width)
            draw.text((left + FRAME, top + height + STRIP - 8), name, TITLE, font, anchor="ls")
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def fit(name: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """As much of the beginning of a name as fits into a column, with dots for what does not."""
    shown = name
    while len(shown) > 1 and font.getlength(shown) > width:
        shown = shown.removesuffix("…")[:-1] + "…"
    return shown
