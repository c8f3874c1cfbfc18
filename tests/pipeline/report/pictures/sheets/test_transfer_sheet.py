"""Sheets of transferred attributes: every pixel where it belongs."""

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.sheets.tile_sheet import ANCHOR_GAP, FRAME, GAP
from latentloom.pipeline.report.pictures.sheets.transfer_sheet import (
    STRIP,
    blend_sheet,
    transfer_sheet,
)

SIDE = 2 * 48 + 2 * FRAME


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 48, 48, 3), np.uint8)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def tile(sheet: np.ndarray, top: int, left: int) -> np.ndarray:
    """The pixels of a tile, at the size of the image."""
    return sheet[top + FRAME : top + SIDE - FRAME : 2, left + FRAME : left + SIDE - FRAME : 2, :3]


def test_rows_have_titles_and_columns_heads():
    rows = images(2, 3)
    sheet = pixels(transfer_sheet(rows, ("anchor", "donor", "result"), ("a to b", "b to a")))
    tops = [2 * STRIP + row * (SIDE + STRIP + GAP) for row in range(2)]
    for row, top in enumerate(tops):
        for column in range(3):
            np.testing.assert_array_equal(
                tile(sheet, top, column * (SIDE + GAP)), rows[row, column]
            )
        assert sheet[top - STRIP : top, :SIDE, 3].any()
    assert sheet[:STRIP, -SIDE:, 3].any()


def test_donors_stand_at_the_ends_of_the_grid():
    cells, (first, second) = images(3, 3), images(2) // 2
    sheet = pixels(blend_sheet(cells, (first, second), ("frame", "bar")))
    places = [0, *(SIDE + ANCHOR_GAP + place * (SIDE + GAP) for place in range(3))]
    np.testing.assert_array_equal(tile(sheet, 0, places[-1]), first)
    np.testing.assert_array_equal(tile(sheet, places[-1], 0), second)
    for row in range(3):
        for column in range(3):
            found = tile(sheet, places[row + 1], places[column + 1])
            np.testing.assert_array_equal(found, cells[row, column])


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Pass all of the same rows"):
        transfer_sheet(images(2, 3), ("anchor", "donor"), ("a", "b"))
