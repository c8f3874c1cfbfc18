"""Anchors beside their variants, as one picture of exact pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

TILE = 96  # pixels to which smaller images are brought, by a whole factor
FRAME = 4  # pixels around a tile, red where the variant was rejected
GAP = 4  # pixels between cells
ANCHOR_GAP = 24  # pixels between the anchor and its first variant
RED = (217, 83, 79, 255)
TITLE = (122, 131, 143, 255)


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
    mosaic = compose_mosaic(anchors, variants, accepted)
    if titles is not None:
        mosaic = _with_titles(mosaic, titles)
    buffer = io.BytesIO()
    Image.fromarray(mosaic).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def compose_mosaic(
    anchors: np.ndarray, variants: np.ndarray, accepted: np.ndarray | None = None
) -> np.ndarray:
    """Lays tiles out as `variant_grid` does, without titles.

    Args:
        anchors: As in `variant_grid`.
        variants: As in `variant_grid`.
        accepted: As in `variant_grid`.

    Returns:
        RGBA pixels, uint8 of shape `(height, width, 4)`, transparent between the tiles.
    """
    rows, columns = variants.shape[:2]
    tiles = enlarge(np.concatenate([anchors[:, None], variants], axis=1))
    height, width = cell_size(anchors)
    mosaic = np.zeros((rows * (height + GAP) - GAP, _left(columns, width) + width, 4), np.uint8)
    for row in range(rows):
        top = row * (height + GAP)
        for column in range(columns + 1):
            left = _left(column, width)
            cell = mosaic[top : top + height, left : left + width]
            if column and accepted is not None and not accepted[row, column - 1]:
                cell[:] = RED
            cell[FRAME:-FRAME, FRAME:-FRAME] = tiles[row, column]
    return mosaic


def title_font(size: int) -> ImageFont.FreeTypeFont:
    """The font of titles; it comes with matplotlib, so that pages look the same everywhere."""
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _left(column: int, width: int) -> int:
    """Left edge of a cell; column 0 is the anchor."""
    return column * (width + GAP) + (ANCHOR_GAP - GAP) * (column > 0)


def cell_size(images: np.ndarray) -> tuple[int, int]:
    """Height and width of what an image of `(..., height, width, channels)` takes in a mosaic."""
    height, width = images.shape[-3:-1]
    factor = _enlargement(images)
    return height * factor + 2 * FRAME, width * factor + 2 * FRAME


def _enlargement(images: np.ndarray) -> int:
    return max(1, round(TILE / max(images.shape[-3:-1])))


def enlarge(images: np.ndarray) -> np.ndarray:
    """Enlarges images by a whole factor and makes them RGBA."""
    factor = _enlargement(images)
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    colors = np.broadcast_to(images, (*images.shape[:-1], 3))
    opaque = np.full((*images.shape[:-1], 1), 255, np.uint8)
    return np.concatenate([colors, opaque], axis=-1)


def _with_titles(mosaic: np.ndarray, titles: Sequence[str]) -> np.ndarray:
    """Puts each title in a strip above its row."""
    size = min(26, max(14, mosaic.shape[1] // 38))
    font = title_font(size)
    strip = round(size * 1.9)
    row = (mosaic.shape[0] + GAP) // len(titles)
    parts = []
    for place, title in enumerate(titles):
        picture = Image.new("RGBA", (mosaic.shape[1], strip))
        draw = ImageDraw.Draw(picture)
        draw.text((FRAME, strip - 5), title, fill=TITLE, font=font, anchor="ls")
        parts += [np.asarray(picture), mosaic[place * row : (place + 1) * row]]
    return np.concatenate(parts)


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
            f"The grid has not one title per row. Expected: {rows} titles. Received: "
            f"{len(titles)} titles. Pass one for each anchor, or None."
        )
    if accepted is not None and accepted.shape != (rows, columns):
        raise ValueError(
            f"The grid has not one verdict per variant. Expected: accepted of shape ({rows}, "
            f"{columns}). Received: {accepted.shape}. Pass one boolean for each variant."
        )


def _check_images(anchors: np.ndarray, variants: np.ndarray) -> None:
    if anchors.dtype != np.uint8 or variants.dtype != np.uint8:
        raise TypeError(
            "The grid needs images as they are stored. Expected: uint8 anchors and variants. "
            f"Received: {anchors.dtype} and {variants.dtype}. Convert them to uint8 in [0, 255]."
        )
    fits = anchors.ndim == 4 and anchors.shape[-1] in (1, 3) and variants.ndim == 5
    fits = fits and (variants.shape[0], *variants.shape[2:]) == anchors.shape and variants.size
    if not fits:
        raise ValueError(
            "The grid's anchors and variants do not fit together. Expected: anchors (rows, height, "
            "width, 1 or 3) and variants (rows, columns, height, width, same channels), none of "
            f"them empty. Received: anchors {anchors.shape} and variants {variants.shape}. Pass "
            "the same number of variants for each anchor."
        )
