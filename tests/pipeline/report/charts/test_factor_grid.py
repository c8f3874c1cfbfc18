"""The heat map of the factor grid."""

import io

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.report.charts.factor_grid import factor_grid

ROWS, COLUMNS = ("label", ["a", "b", "c"]), ("back", ["red", "$x$"])
BEFORE = np.array([[0, 3], [5, 1], [2, 2]])


def _colours(png: bytes) -> np.ndarray:
    """Share of the pixels that are coloured, in the left and in the right half."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)
    vivid = (pixels[..., 3] == 255) & (np.ptp(pixels[..., :3], axis=-1) > 60)
    return np.array([half.mean() for half in np.array_split(vivid, 2, axis=1)])


def test_cells_without_an_example_are_left_empty():
    full = _colours(factor_grid(ROWS, COLUMNS, BEFORE + 1, BEFORE + 1))
    some = _colours(factor_grid(ROWS, COLUMNS, BEFORE, BEFORE + 1))
    none = _colours(factor_grid(ROWS, COLUMNS, 0 * BEFORE, BEFORE + 1))
    assert full[0] > some[0] > none[0]
    assert some[0] / full[0] == pytest.approx(5 / 6, abs=0.03)
    assert abs(full[1] - some[1]) < 0.01


def test_equal_counts_give_equal_bytes():
    assert factor_grid(ROWS, COLUMNS, BEFORE, BEFORE) == factor_grid(ROWS, COLUMNS, BEFORE, BEFORE)


def test_more_values_than_can_be_named_are_drawn_without_names():
    many = [f"value {index}" for index in range(80)]
    counts = np.arange(160).reshape(80, 2)
    assert factor_grid(("label", many), COLUMNS, counts, counts).startswith(b"\x89PNG")


def test_counts_of_another_grid_are_refused():
    with pytest.raises(ValueError, match="Count both over these factors"):
        factor_grid(ROWS, COLUMNS, BEFORE, BEFORE.T)
