"""Anchors beside their variants, as one picture of exact pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.pipeline.report.pictures.sheets.tile_sheet import (
    GAP,
    TileSheet,
    cell_size,
    edges,
    edges_after_anchor,
    title_font,
)


def variant_grid(
    anchors: np.ndarray,
    variants: np.ndarray,
    titles: Sequence[str] | None = None,
    accepted: np.ndarray | None = None,
) -> bytes:
    """Draws one row per anchor: the anchor, a gap, then its variants.

    Pixels are repeated, never smoothed. Rejected variants have a red frame.

    Args:
        anchors: uint8 of shape `(rows, height, width, channels)`, with 1 or 3 channels.
        variants: uint8 of shape `(rows, columns, height, width, channels)`.
        titles: One line of text above each row, or None.
        accepted: Booleans of shape `(rows, columns)`, or None if all were accepted.

    Returns:
        A PNG file with transparent background.

    Raises:
        ValueError: The shapes do not fit together.
        TypeError: The images are not uint8.
    """
    _check(anchors, variants, titles, accepted)
    height, width = cell_size(anchors)
    lefts = edges_after_anchor(variants.shape[1], width)
    font = title_font(min(26, max(14, (lefts[-1] + width) // 38)))
    strip = 0 if titles is None else round(font.size * 1.9)
    sheet = TileSheet(edges(len(anchors), height, strip, strip + GAP), lefts, (height, width))
    for row, anchor in enumerate(anchors):
        if titles is not None:
            sheet.write_strip(titles[row], row, strip, font)
        sheet.place(row, 0, anchor)
        for column, variant in enumerate(variants[row]):
            passed = accepted is None or accepted[row, column]
            sheet.place(row, column + 1, variant, passed)
    return sheet.png()


def _check(
    anchors: np.ndarray,
    variants: np.ndarray,
    titles: Sequence[str] | None,
    accepted: np.ndarray | None,
) -> None:
    _check_images(anchors, variants)
    rows, columns = variants.shape[:2]
    if titles is not None and len(titles) != rows:
        raise ValueError(
            f"The grid needs one title per row. Expected: {rows} titles. Received: "
            f"{len(titles)} titles. Pass one for each anchor, or None."
        )
    if accepted is not None and accepted.shape != (rows, columns):
        raise ValueError(
            f"The grid needs one verdict per variant. Expected: accepted of shape ({rows}, "
            f"{columns}). Received: {accepted.shape}. Pass one boolean for each variant."
        )


def _check_images(anchors: np.ndarray, variants: np.ndarray) -> None:
    if anchors.dtype != np.uint8 or variants.dtype != np.uint8:
        raise TypeError(
            "The grid needs images as stored. Expected: uint8 anchors and variants. "
            f"Received: {anchors.dtype} and {variants.dtype}. Convert them to uint8 in [0, 255]."
        )
    fits = anchors.ndim == 4 and anchors.shape[-1] in (1, 3) and variants.ndim == 5
    fits = fits and (variants.shape[0], *variants.shape[2:]) == anchors.shape and variants.size
    if not fits:
        raise ValueError(
            "The grid's anchors and variants do not fit together. Expected: anchors (rows, height, "
            "width, 1 or 3) and variants (rows, columns, height, width, same channels), not "
            f"empty. Received: anchors {anchors.shape} and variants {variants.shape}. Pass "
            "the same number of variants for each anchor."
        )
