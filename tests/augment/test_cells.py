import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentloom.augment import Coverage, Targets, choose_cells, count_cells, find_clashes
from latentloom.augment import cells as cells_module

NAMES = {"label": ("a", "b", "c"), "ink": ("red", "green"), "back": ("red", "green", "blue")}
GRID = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 2)),
    st.integers(1, 5),
    min_size=1,
).map(lambda counts: Coverage(NAMES, {(0, 0, 1): 1, (1, 1, 2): 1} | counts))


def chosen(cells):
    """The number of variants of each cell."""
    return dict(zip(map(tuple, cells.values.tolist()), cells.numbers.tolist(), strict=True))


def assert_chosen(expected, coverage, *choice):
    """Compares what is chosen; nothing is an error."""
    if expected:
        assert chosen(choose_cells(coverage, *choice)) == expected
    else:
        with pytest.raises(ValueError, match="There is no cell to fill"):
            choose_cells(coverage, *choice)


@given(GRID, st.integers(1, 6))
def test_every_chosen_cell_is_brought_up_to_the_same_number(coverage, per_cell):
    seen = [np.flatnonzero(coverage.marginal(factor)).tolist() for factor in NAMES]
    grid = [(a, b, c) for a in seen[0] for b in seen[1] for c in seen[2]]
    missing = {cell: per_cell - coverage.counts.get(cell, 0) for cell in grid}
    missing = {cell: number for cell, number in missing.items() if number > 0}
    unseen = {cell: n for cell, n in missing.items() if cell not in coverage.counts}
    rare = {cell: n for cell, n in missing.items() if cell in coverage.counts}
    assert_chosen(missing, coverage, "balanced", per_cell)
    assert_chosen(unseen, coverage, "unseen", per_cell)
    assert_chosen(rare, coverage, "rare", per_cell)


@given(GRID, st.integers(1, 6))
def test_cells_that_clash_are_passed_over(coverage, per_cell):
    clashes = find_clashes(NAMES, [("ink", "back")])
    every = chosen(choose_cells(coverage, "balanced", 7))
    kept = {cell: number + per_cell - 7 for cell, number in every.items() if cell[1] != cell[2]}
    kept = {cell: number for cell, number in kept.items() if number > 0}
    assert_chosen(kept, coverage, "balanced", per_cell, clashes)


def test_named_cells_get_what_is_asked_for_each(letter_grid):
    cells = [
        {"label": "b", "ink": "red", "back": "blue"},
        {"back": "green", "label": "a", "ink": "red"},
        {"label": "b", "ink": "red", "back": "blue"},
    ]
    assert chosen(choose_cells(letter_grid, cells, 4)) == {(0, 0, 1): 4, (1, 0, 2): 4}


def test_a_value_that_was_never_seen_is_refused_with_that_word():
    coverage = Coverage(NAMES, {(0, 0, 1): 2, (1, 1, 0): 1})
    cell = {"label": "c", "ink": "red", "back": "green"}
    with pytest.raises(ValueError, match="Value 'c' of factor 'label' was never seen.*'a', 'b'"):
        choose_cells(coverage, [cell], 1)
    with pytest.raises(ValueError, match="Value 'q' of factor 'label' was never seen"):
        choose_cells(coverage, [cell | {"label": "q"}], 1)


@pytest.mark.parametrize("cell", [{"label": "a"}, {"label": "a", "ink": "red", "font": "mono"}])
def test_a_cell_names_every_factor_of_the_grid(letter_grid, cell):
    with pytest.raises(ValueError, match="Name these factors and no others"):
        choose_cells(letter_grid, [cell], 1)


def test_a_named_cell_that_clashes_is_refused(letter_grid):
    clashes = find_clashes(letter_grid.names, [("back", "ink")])
    with pytest.raises(ValueError, match="clashing values.*'ink': 'red'.*Leave the cell out"):
        choose_cells(letter_grid, [{"label": "a", "ink": "red", "back": "red"}], 1, clashes)


def test_a_factor_with_one_value_cannot_be_recombined():
    coverage = Coverage(NAMES, {(0, 0, 1): 2, (1, 0, 0): 1})
    with pytest.raises(ValueError, match="Factor 'ink' has too few values.*Leave the factor out"):
        choose_cells(coverage, "unseen", 1)


def test_a_grid_without_a_cell_to_fill_is_refused():
    coverage = Coverage({"label": ("a", "b")}, {(0,): 2, (1,): 3})
    with pytest.raises(ValueError, match="no cell to fill.*'unseen'.*2 of 2 cells"):
        choose_cells(coverage, "unseen", 5)


def test_an_empty_list_of_cells_is_refused(letter_grid):
    with pytest.raises(ValueError, match="no cell to fill"):
        choose_cells(letter_grid, [], 1)


def test_an_unknown_choice_names_the_nearest(letter_grid):
    with pytest.raises(ValueError, match="Did you mean 'balanced'"):
        choose_cells(letter_grid, "balance", 1)


def test_no_variants_a_cell_are_refused(letter_grid):
    with pytest.raises(ValueError, match="Raise `per_cell`"):
        choose_cells(letter_grid, "unseen", 0)


def test_a_grid_too_large_to_go_through_is_refused(letter_grid, monkeypatch):
    monkeypatch.setattr(cells_module, "MOST_CELLS", 26)
    with pytest.raises(ValueError, match="Received: 27 cells.*Name fewer factors"):
        choose_cells(letter_grid, "unseen", 1)


def test_targets_number_the_variants_of_a_cell(letter_grid):
    cells = choose_cells(letter_grid, "balanced", 3)
    targets = cells.targets(seed=0)
    columns = np.stack(list(targets.factors.values()), axis=1)
    start = 0
    for cell, number in zip(cells.values, cells.numbers, strict=True):
        rows = slice(start, start + number)
        assert (columns[rows] == cell).all()
        assert targets.steps[rows].tolist() == list(range(number))
        assert len(set(targets.keys[rows].tolist())) == 1
        start += number
    assert start == len(targets)
    assert len(set(targets.keys.tolist())) == len(cells)


def test_a_target_has_a_value_of_each_factor():
    with pytest.raises(ValueError, match="Pass one value per row"):
        Targets({"label": np.zeros(2, int)}, np.zeros(3, np.uint64), np.zeros(3, int))


@given(coverage=GRID)
def test_cells_are_counted_where_their_values_go_together(coverage):
    cells = set(np.ndindex(3, 2, 3))
    assert count_cells(coverage, {}) == (18, len(cells - set(coverage.counts)))
    fitting = {cell for cell in cells if cell[1] != cell[2]}
    clashes = find_clashes(NAMES, [("ink", "back")])
    assert count_cells(coverage, clashes) == (12, len(fitting - set(coverage.counts)))


def test_a_clash_with_a_factor_outside_the_grid_does_not_count():
    coverage = Coverage({"ink": NAMES["ink"]}, {(0,): 3})
    assert count_cells(coverage, find_clashes(NAMES, [("ink", "back")])) == (2, 1)
