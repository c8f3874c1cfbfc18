import numpy as np
import pytest

from pipeline.report.block_table import block_table


def test_a_table_is_drawn_the_same_twice_and_otherwise_for_other_numbers():
    table = np.eye(2)
    drawn = block_table(["ink", "style_$x"], ["ink", "label"], table)
    assert drawn.startswith(b"\x89PNG")
    assert block_table(["ink", "style_$x"], ["ink", "label"], table) == drawn
    assert block_table(["ink", "style_$x"], ["ink", "label"], 1 - table) != drawn


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 1\).*Received: \(2, 2\)"):
        block_table(["ink", "style"], ["ink"], np.eye(2))
