from types import SimpleNamespace

import pytest

from latentloom.pipeline.terminal.tables import figure_rows


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
