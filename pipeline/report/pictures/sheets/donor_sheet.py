"""Recombinations beside their donors, as one picture of exact pixels."""

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
    fit,
    title_font,
)

SIZE = 16  # font size
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
            "The sheet needs one donor per factor and one result per row. Expected: donors (rows, "
            f"factors, height, width, channels). Received: donors {donors.shape}, results "
            f"{results.shape}, {len(factors)} factors. Pass all of the same rows."
        )
    height, width = cell_size(results)
    count, font = len(factors), title_font(SIZE)
    lefts = edges(count, width)
    sheet = TileSheet(
        tops=edges(len(results), height, STRIP, STRIP + GAP),
        lefts=[*lefts, lefts[-1] + width + ANCHOR_GAP],
        cell=(height, width),
        below=STRIP + GAP,
    )
    for left, name in zip(sheet.lefts, [*factors, "result"], strict=True):
        sheet.write(fit(name, font, width), (left + FRAME, STRIP - 6), font, "ls")
    for row, top in enumerate(sheet.tops):
        for column, (left, name) in enumerate(zip(lefts, values[row], strict=True)):
            sheet.place(row, column, donors[row, column])
            below = (left + FRAME, top + height + STRIP - 8)
            sheet.write(fit(name, font, width), below, font, "ls")
        sheet.place(row, count, results[row], accepted[row])
    return sheet.png()
