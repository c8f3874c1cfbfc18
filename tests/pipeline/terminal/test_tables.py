from types import SimpleNamespace

import numpy as np
import pytest

from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.terminal.tables import figure_rows, print_measured


@pytest.mark.parametrize("turned", [False, True])
def test_a_table_of_more_columns_than_rows_is_turned(turned):
    names = ["error", "share", "gap"] if turned else ["error", "share"]
    rows = {"thick seven": dict.fromkeys(names, 1.23456), "narrow zero": dict.fromkeys(names)}
    lines, header = figure_rows(SimpleNamespace(columns=names, rows=rows))
    if turned:
        assert header == ("", "thick seven", "narrow zero")
        assert lines == [(name, "1.235", "") for name in names]
    else:
        assert header == ("", *names)
        assert lines == [("thick seven", "1.235", "1.235"), ("narrow zero", "", "")]


def test_measures_tell_on_how_many_examples_they_stand(capsys):
    right, classes = np.arange(24) % 2 == 0, np.arange(24) % 3
    print_measured(
        [
            Measure.of_share(right, classes, name="Accuracy", chance=1 / 3),
            Measure.of_share(right, anchors=np.arange(24) // 12, name="Rejected"),
            Measure.of_share(right[:3], classes[:3], fewest=5, name="Probe"),
            Measure(name="Diversity", value=0.123456),
        ]
    )
    lines = [[c.strip() for c in x.split("│")[1:-1]] for x in capsys.readouterr().out.splitlines()]
    rows = {cells[0]: cells[1:] for cells in lines if cells and cells[0]}
    assert rows["Accuracy"] == ["0.50", "0.31 to 0.69", "0.33", "24 in 3"]
    assert rows["Rejected"] == ["0.50", "0.09 to 0.91", "", "24 of 2"]
    assert rows["Probe"] == ["not measured", "", "", "3 in 3"]
    assert rows["Diversity"] == ["0.1235", "", "", ""]


def test_many_examples_have_four_decimals_and_unequal_classes_their_mean(capsys):
    classes = np.repeat([0, 1], [1500, 500])
    print_measured([Measure.of_share(classes == 0, classes, name="Accuracy")])
    assert "0.7500" in (printed := capsys.readouterr().out)
    assert "0.731 to 0.768" in printed
    assert "balanced 0.50" in printed
