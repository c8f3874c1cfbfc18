"""The heat map of the cells of two factors."""

import numpy as np
import pytest

from latentloom.pipeline.report.charts.cell_counts import cell_counts

ROWS, COLUMNS = ("label", ["a", "b"]), ("ink $x$", ["red", "blue", "a very long name of an ink"])


@pytest.mark.parametrize("counts", [[[3, 0, 9], [1, 1000, 0]], [[0, 0, 0], [0, 0, 0]]])
def test_a_heat_map_is_a_png_of_the_same_bytes(counts):
    first, second = (cell_counts(ROWS, COLUMNS, np.array(counts)) for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == second


def test_counts_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="needs one count per cell"):
        cell_counts(ROWS, COLUMNS, np.zeros((3, 2), int))
