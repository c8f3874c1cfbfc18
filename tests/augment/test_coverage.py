import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentloom.augment import Coverage

NAMES = {"label": ("a", "b"), "font": ("serif", "sans", "mono")}
CELLS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=20)


def factors(cells):
    columns = np.array(cells, int).reshape(-1, 2).T
    return dict(zip(NAMES, columns, strict=True))


@given(CELLS)
def test_counts_are_the_examples_of_each_cell(cells):
    grid = Coverage(NAMES).count(factors(cells))
    assert grid.counts == {cell: cells.count(cell) for cell in cells}


@given(CELLS, CELLS)
def test_counting_parts_and_merging_is_counting_the_whole(first, second):
    parts = [Coverage(NAMES).count(factors(cells)) for cells in (first, second)]
    whole = Coverage(NAMES).count(factors(first + second))
    assert Coverage.merge(*parts) == whole
    assert Coverage.merge(*reversed(parts)) == whole
    assert parts[0].count(factors(second)) == whole


@given(CELLS)
def test_a_cell_is_seen_if_it_has_an_example(cells):
    grid = Coverage(NAMES).count(factors(cells))
    every = [(label, font) for label in range(2) for font in range(3)]
    expected = [cell in cells for cell in every]
    assert [grid.seen(cell) for cell in every] == expected
    assert grid.seen_rows(factors(every)).tolist() == expected


@given(CELLS)
def test_the_marginal_sums_over_the_other_factors(cells):
    grid = Coverage(NAMES).count(factors(cells))
    expected = np.bincount([font for _, font in cells], minlength=3)
    np.testing.assert_array_equal(grid.marginal("font"), expected)


@given(CELLS)
def test_coverage_survives_a_round_trip_through_json(cells):
    grid = Coverage(NAMES).count(factors(cells))
    assert Coverage.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid


def test_cells_keep_their_factors_if_json_sorts_its_keys():
    grid = Coverage(NAMES).count(factors([(1, 2), (0, 2)]))
    read = Coverage.from_dict(json.loads(json.dumps(grid.to_dict(), sort_keys=True)))
    for factor in NAMES:
        np.testing.assert_array_equal(read.marginal(factor), grid.marginal(factor))


def test_counting_leaves_the_first_coverage_as_it_was():
    grid = Coverage(NAMES)
    grid.count(factors([(0, 0)]))
    assert grid.counts == {}


def test_factors_outside_the_grid_are_ignored():
    extra = factors([(0, 1)]) | {"pose": np.array([9])}
    assert Coverage(NAMES).count(extra).counts == {(0, 1): 1}


def test_the_grid_has_seen_and_unseen_cells():
    assert Coverage(NAMES).num_cells == 6


def test_a_missing_factor_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'fonts'"):
        Coverage(NAMES).count({"label": np.array([0]), "fonts": np.array([0])})
    with pytest.raises(ValueError, match="Did you mean 'font'"):
        Coverage(NAMES).marginal("fonts")


@pytest.mark.parametrize("cell", [(0,), (2, 0), (0, -1), (0, 0, 0)])
def test_a_cell_outside_the_grid_is_refused(cell):
    with pytest.raises(ValueError, match="Pass an index per factor"):
        Coverage(NAMES).seen(cell)
    with pytest.raises(ValueError, match="Pass an index per factor"):
        Coverage(NAMES, {cell: 1})


def test_a_value_outside_the_grid_is_not_counted():
    with pytest.raises(ValueError, match="Pass an index per factor"):
        Coverage(NAMES).count(factors([(0, 3)]))


def test_a_cell_without_examples_is_not_stored():
    with pytest.raises(ValueError, match="Leave the cell out"):
        Coverage(NAMES, {(0, 0): 0})


def test_a_grid_has_a_factor():
    with pytest.raises(ValueError, match="Name the factors to count over"):
        Coverage({})


def test_coverages_of_different_grids_do_not_merge():
    other = Coverage(dict(reversed(NAMES.items())))
    with pytest.raises(ValueError, match="Count both over the same factors"):
        Coverage(NAMES).merge(other)


@given(CELLS)
def test_a_smaller_grid_counts_the_same_examples(cells):
    grid = Coverage(NAMES).count(factors(cells))
    smaller = Coverage({"font": NAMES["font"]}).count(factors(cells))
    assert grid.over(["font"]) == smaller
    assert grid.over(["font", "label"]) == grid


def test_a_smaller_grid_has_factors_of_the_grid():
    with pytest.raises(ValueError, match="Did you mean 'font'"):
        Coverage(NAMES).over(["fnt"])


def test_a_cell_has_names():
    assert Coverage(NAMES).name_cell((1, 2)) == {"label": "b", "font": "mono"}


def test_a_value_is_seen_if_an_example_has_it():
    grid = Coverage(NAMES).count(factors([(0, 1)]))
    assert grid.seen_value("font", "sans") == 1
    with pytest.raises(ValueError, match="'mono' of factor 'font' was never seen.*one of .'sans'"):
        grid.seen_value("font", "mono")
