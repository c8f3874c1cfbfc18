"""The grid of exchanged codes: every pixel where it belongs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.sheets.exchange_grid import (
    RULE,
    exchange_grid,
    exchange_sheet,
)
from latentloom.pipeline.report.pictures.sheets.tile_sheet import ANCHOR_GAP, FRAME, GAP, RED, TITLE

PARTS = ("zs", "zu")


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_real_images_lie_at_the_left_and_the_top_and_cells_between_them():
    images, cells = _images(3, 48, 32, 3), _images(3, 3, 48, 32, 3)
    pixels = exchange_sheet(images, cells).pixels()
    height, width = 2 * 48 + 2 * FRAME, 2 * 32 + 2 * FRAME
    expected = np.zeros_like(pixels)
    tiles = np.zeros((4, 4, 48, 32, 3), np.uint8)
    tiles[1:, 0], tiles[0, 1:], tiles[1:, 1:] = images, images, cells
    for row in range(4):
        for column in range(4):
            top = row * (height + GAP) + (ANCHOR_GAP - GAP) * (row > 0) + FRAME
            left = column * (width + GAP) + (ANCHOR_GAP - GAP) * (column > 0) + FRAME
            area = expected[top : top + 96, left : left + 64]
            area[..., :3] = np.kron(tiles[row, column], np.ones((2, 2, 1), np.uint8))
            area[..., 3] = 255 * (row + column > 0)  # the corner is empty
    middle = (ANCHOR_GAP - RULE) // 2
    expected[height + middle : height + middle + RULE] = TITLE
    expected[:, width + middle : width + middle + RULE] = TITLE
    np.testing.assert_array_equal(pixels, expected)


def test_a_rejected_cell_and_no_other_has_a_red_frame():
    images, cells = _images(2, 96, 96, 1), _images(2, 2, 96, 96, 1)
    accepted = np.array([[True, True], [False, True]])
    changed = (
        exchange_sheet(images, cells).pixels() != exchange_sheet(images, cells, accepted).pixels()
    )
    rows, columns = np.nonzero(changed.any(-1))
    cell = 96 + 2 * FRAME
    assert (rows.min(), columns.min()) == (cell + ANCHOR_GAP + cell + GAP, cell + ANCHOR_GAP)
    assert len(rows) == cell**2 - 96**2
    assert {tuple(p) for p in exchange_sheet(images, cells, accepted).pixels()[rows, columns]} == {
        RED
    }


@pytest.mark.parametrize("names", [["0", "1"], ["American black bear", "Ankle boot"]])
def test_names_stand_above_and_beside_and_leave_the_tiles_alone(names):
    images, cells = _images(2, 28, 28, 1), _images(2, 2, 28, 28, 1)
    bare = exchange_sheet(images, cells).pixels()
    named = _pixels(exchange_grid(images, cells, names, PARTS))
    above, beside = (n - b for n, b in zip(named.shape[:2], bare.shape[:2], strict=True))
    cell = 28 * 3 + 2 * FRAME
    first = cell + ANCHOR_GAP
    for row in (0, 1):
        start = first + row * (cell + GAP)
        assert named[above + start : above + start + cell, :beside, 3].any()
        assert named[:above, beside + start : beside + start + cell, 3].any()
    inside = named[above:, beside:].copy()
    assert inside[:cell, :cell, 3].any(), "the corner names the parts"
    inside[:cell, :cell] = 0
    np.testing.assert_array_equal(inside, bare)
    assert not named[:above, :beside].any()


def test_a_name_too_long_for_its_column_is_cut():
    images, cells = _images(1, 28, 28, 1), _images(1, 1, 28, 28, 1)
    long, longer = (exchange_grid(images, cells, ["a" * size], PARTS) for size in (40, 50))
    assert long == longer


def test_equal_grids_are_equal_bytes():
    images, cells = _images(1, 8, 8, 3), _images(1, 1, 8, 8, 3)
    first = exchange_grid(images, cells, ["a"], PARTS)
    assert first == exchange_grid(images.copy(), cells.copy(), ["a"], PARTS, np.ones((1, 1), bool))


@pytest.mark.parametrize(
    ("images", "cells", "names", "accepted"),
    [
        ((2, 8, 8, 3), (2, 1, 8, 8, 3), 2, (2, 2)),
        ((2, 8, 8, 3), (2, 2, 8, 8, 1), 2, (2, 2)),
        ((2, 8, 8, 2), (2, 2, 8, 8, 2), 2, (2, 2)),
        ((0, 8, 8, 3), (0, 0, 8, 8, 3), 0, (0, 0)),
        ((2, 8, 8, 3), (2, 2, 8, 8, 3), 1, (2, 2)),
        ((2, 8, 8, 3), (2, 2, 8, 8, 3), 2, (2, 1)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(images, cells, names, accepted):
    with pytest.raises(ValueError, match="Pass all of the same n images"):
        exchange_grid(
            np.zeros(images, np.uint8),
            np.zeros(cells, np.uint8),
            ["a"] * names,
            PARTS,
            np.ones(accepted, bool),
        )


def test_images_that_are_not_uint8_are_refused():
    with pytest.raises(TypeError, match="Convert them to uint8"):
        exchange_grid(np.zeros((1, 8, 8, 1)), np.zeros((1, 1, 8, 8, 1)), ["a"], PARTS)
