"""Rows of the tables of unseen combinations, from figures with known means."""

import numpy as np
import pytest

from latentloom.pipeline.evaluation.unseen.tables import (
    ERRORS,
    as_table,
    error_row,
    mean_row,
    reading_columns,
    reading_row,
)

ROWS = np.array([True, True, False, False])
PRUNED = {"nats": np.array([6, 10, 2, 2.0]), "squares": np.full(4, 0.5), "class": ROWS * 1.0}
PRUNED |= {"width": np.array([16, 16, 4, 4.0])}
FULL = PRUNED | {"nats": np.full(4, 2.0), "width": np.full(4, 4.0)}
NEAREST = {"nats": np.full(4, 16.0), "squares": np.full(4, 1.0)}


def test_the_gap_is_over_the_full_model_and_the_excess_over_the_nearest_image():
    row = error_row(PRUNED, FULL, NEAREST, ROWS)
    assert (row["Nats"], row["Nats, full"], row["Nats, nearest"]) == (8, 2, 16)
    assert (row["Gap ratio"], row["Excess ratio"]) == (4, 0.5)
    assert (row["Squared error"], row["Squared error, nearest"]) == (0.5, 1.0)
    assert error_row(PRUNED, FULL, NEAREST, ~ROWS)["Gap ratio"] == 1


def test_without_a_full_model_there_is_no_gap_and_no_column_of_it():
    row = error_row(PRUNED, {}, NEAREST, ROWS)
    assert row["Gap ratio"] is None
    table = as_table("Errors", "", ERRORS, {"a cell": row})
    assert [head for head in table.columns if "full" in head or "Gap" in head] == []
    assert table.rows["a cell"]["Excess ratio"] == 0.5


def test_transfer_is_the_root_mean_square_error_over_that_of_images_held_in():
    row = reading_row(PRUNED, FULL, ROWS, ~ROWS, ["width"])
    assert (row["Error of width"], row["width, ratio"], row["width, ratio, full"]) == (4, 2, 1)
    assert (row["Class"], row["Class, full"]) == (1, 1)
    assert set(row) == set(reading_columns(["width"]))


def test_cells_without_images_have_no_figures_and_stop_nothing():
    row = error_row(PRUNED, FULL, NEAREST, np.zeros(4, bool))
    assert set(row.values()) == {None}


def test_the_mean_of_rows_adds_up_what_was_made_and_skips_what_is_missing():
    rows = [{"Made": 10, "Class": 0.5, "Both": None}, {"Made": 5, "Class": 1.0, "Both": 0.25}, {}]
    assert mean_row(rows) == {"Made": 15, "Class": 0.75, "Both": 0.25}
    assert mean_row([]) == {}


def test_a_row_that_does_not_fit_its_table_is_refused():
    table = as_table("Errors", "", {"a": "A.", "b": "B."}, {"cell": {"a": 1}, "other": {"b": 2.0}})
    assert table.rows == {"cell": {"a": 1, "b": None}, "other": {"a": None, "b": 2.0}}
    with pytest.raises(ValueError, match=r"'odd' does not fit its table 'Errors'.*Align them"):
        type(table).model_validate(table.model_dump() | {"rows": {"odd": {"a": 1}}})
    with pytest.raises(ValueError, match="finite"):
        as_table("Errors", "", {"a": "A."}, {"odd": {"a": float("nan")}})
