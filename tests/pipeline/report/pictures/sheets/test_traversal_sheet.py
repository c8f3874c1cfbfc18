"""The sheet of axes: every pixel where it belongs."""

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.pictures.sheets.tile_sheet import ANCHOR_GAP, FRAME, GAP, RED
from latentloom.pipeline.report.pictures.sheets.traversal_sheet import STRIP, traversal_sheet

STEPS = np.array([-1.0, 0.0, 1.0, 2.0])


def _cells(channels: int = 1, rows: int = 2) -> np.ndarray:
    shape = (rows, len(STEPS), 48, 48, channels)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _sheet(cells: np.ndarray, accepted: np.ndarray | None = None, axes=(7, 12)) -> np.ndarray:
    passed = np.ones(cells.shape[:2], bool) if accepted is None else accepted
    png = traversal_sheet(STEPS, cells, passed, np.array(axes), ["90.0 %", "0.05 nats"])
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _lefts(pixels: np.ndarray, side: int) -> list[int]:
    """Left edges of the columns, counted from the right edge of the picture."""
    gaps = np.array([ANCHOR_GAP, ANCHOR_GAP, GAP, 0])
    widths = side + gaps
    return (pixels.shape[1] - np.cumsum(widths[::-1])[::-1]).tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_row_is_an_axis_and_a_column_a_step_with_gaps_around_step_0(channels):
    cells = _cells(channels)
    pixels, side = _sheet(cells), 2 * 48 + 2 * FRAME
    for row in range(2):
        top = STRIP + row * (side + GAP) + FRAME
        for column, left in enumerate(_lefts(pixels, side)):
            inner = pixels[top : top + 96, left + FRAME : left + FRAME + 96]
            expected = np.kron(cells[row, column], np.ones((2, 2, 1), np.uint8))
            np.testing.assert_array_equal(inner[..., :3], np.broadcast_to(expected, (96, 96, 3)))
    assert pixels.shape[0] == STRIP + 2 * side + GAP


def test_only_rejected_cells_have_a_red_frame():
    accepted = np.ones((2, 4), bool)
    accepted[1, 3] = False
    pixels, side = _sheet(_cells(), accepted), 2 * 48 + 2 * FRAME
    for row in range(2):
        for column, left in enumerate(_lefts(pixels, side)):
            corner = pixels[STRIP + row * (side + GAP), left]
            assert (tuple(corner) == RED) == (not accepted[row, column])


def test_axes_and_labels_stand_beside_the_rows_and_steps_above_the_columns():
    pixels, side = _sheet(_cells()), 2 * 48 + 2 * FRAME
    first = _lefts(pixels, side)[0]
    for row in range(2):
        top = STRIP + row * (side + GAP)
        assert pixels[top : top + side // 2, :first, 3].any()  # the number
        assert pixels[top + side // 2 : top + side, :first, 3].any()  # the label
    for left in _lefts(pixels, side):
        assert pixels[:STRIP, left : left + side, 3].any()
    other = _sheet(_cells(), axes=(8, 12))
    first_row, second_row = (slice(STRIP + k * (side + GAP), None) for k in range(2))
    assert not np.array_equal(pixels[first_row], other[first_row])
    np.testing.assert_array_equal(pixels[second_row], other[second_row])


def test_cells_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="Pass all of the same axes and steps"):
        _sheet(_cells(rows=3))
    with pytest.raises(ValueError, match="Pass all of the same axes and steps"):
        _sheet(_cells(), np.ones((2, 3), bool))
