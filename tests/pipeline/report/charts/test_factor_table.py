import numpy as np
import pytest

from latentloom.pipeline.report.charts import factor_table as drawing
from latentloom.pipeline.report.charts.factor_table import factor_table

ROWS = ("block", ["ink", "style_$x"])


@pytest.fixture
def drawn(monkeypatch):
    """Draws a table and returns its panel."""

    def draw(*arguments):
        figures = []
        monkeypatch.setattr(drawing, "to_png", lambda figure: figures.append(figure) or b"")
        factor_table(*arguments)
        return figures[0].axes[0]

    return draw


def test_a_table_is_drawn_the_same_twice_and_otherwise_for_other_numbers():
    table = np.eye(2)
    png = factor_table(ROWS, ["ink", "label"], table)
    assert png.startswith(b"\x89PNG")
    assert factor_table(ROWS, ["ink", "label"], table) == png
    assert factor_table(ROWS, ["ink", "label"], 1 - table) != png


def test_rows_and_factors_are_named_and_every_number_is_written(drawn):
    panel = drawn(ROWS, ["ink", "label", "size"], np.array([[1, 0.25, -0.001], [0, 0.5, 0.75]]))
    assert panel.get_ylabel() == "block"
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["ink", "style_$x"]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["ink", "label", "size"]
    written = [text.get_text() for text in panel.texts]
    assert written == ["1.00", "0.25", "0.00", "0.00", "0.50", "0.75"]
    np.testing.assert_array_equal(panel.images[0].get_array()[1], [0, 0.5, 0.75])


def test_many_rows_leave_zeros_out_and_many_factors_all_numbers(drawn):
    table = np.eye(40)
    names = [f"factor {number}" for number in range(40)]
    few = drawn(("axis", names), names[:2], table[:, :2])
    assert [text.get_text() for text in few.texts] == ["1.00", "1.00"]
    many = drawn(("axis", names), names, table)
    assert not many.texts
    assert {tick.get_rotation() for tick in many.get_xticklabels()} == {90}
    assert len(many.get_yticklabels()) == len(many.get_xticklabels()) == 40


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"block and factor.*shape \(2, 1\).*Received: \(2, 2\)"):
        factor_table(ROWS, ["ink"], np.eye(2))
