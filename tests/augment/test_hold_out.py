import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from latentloom.augment import Coverage, HoldOut, draw_cells, name_cells

NAMES = {"label": ("a", "b", "c"), "ink": ("red", "green")}
GRID = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 1)), st.integers(1, 5), min_size=1
).map(lambda counts: Coverage(NAMES, counts))
WHOLE = Coverage(NAMES, {cell: 2 for cell in itertools.product(range(3), range(2))})


@given(GRID, st.floats(0.01, 0.99), st.integers(0, 9))
def test_every_value_keeps_a_cell(coverage, share, seed):
    values = [set(column) for column in zip(*coverage.counts, strict=True)]
    cells = np.array(list(coverage.counts))
    spare = [(cells == cell).sum(axis=0).min() > 1 for cell in cells]
    assume(any(spare))
    drawn = draw_cells(coverage, share, seed)
    kept = set(coverage.counts) - set(drawn.counts)
    assert [set(column) for column in zip(*kept, strict=True)] == values
    assert 0 < len(drawn.counts) <= max(1, round(share * len(coverage.counts)))
    assert all(coverage.counts[cell] == number for cell, number in drawn.counts.items())


def test_a_draw_follows_the_seed_and_the_names_not_the_other_cells():
    grid = Coverage(
        {"label": tuple("abcdefghij"), "ink": tuple("klmnopqrst")},
        {cell: 1 for cell in itertools.product(range(10), range(10))},
    )
    drawn = draw_cells(grid, 0.2, 3)
    assert len(drawn.counts) == 20
    assert draw_cells(grid, 0.2, 3).counts == drawn.counts
    assert draw_cells(grid, 0.2, 4).counts != drawn.counts
    twice = Coverage(grid.names, {cell: 2 for cell in grid.counts})
    assert set(draw_cells(twice, 0.2, 3).counts) == set(drawn.counts)


def test_a_grid_without_a_cell_to_spare_is_refused():
    diagonal = Coverage(NAMES, {(0, 0): 3, (1, 1): 3})
    with pytest.raises(ValueError, match=r"can be held out.*2 cells with examples.*Name fewer"):
        draw_cells(diagonal, 0.5, 0)


def test_named_cells_are_found_with_their_examples():
    found = name_cells(WHOLE, [{"ink": "green", "label": "c"}])
    assert found.counts == {(2, 1): 2}


def test_named_cells_must_have_examples():
    sparse = Coverage(NAMES, {(0, 0): 3, (1, 1): 3})
    with pytest.raises(ValueError, match="'blue' of factor 'ink' was never seen"):
        name_cells(WHOLE, [{"label": "a", "ink": "blue"}])
    with pytest.raises(ValueError, match="unseen already"):
        name_cells(sparse, [{"label": "a", "ink": "green"}])


def test_an_example_belongs_to_the_first_group_that_has_its_cell():
    over_label = Coverage({"label": NAMES["label"]}, {(1,): 4})
    hold_out = HoldOut({"cell": name_cells(WHOLE, [{"label": "b", "ink": "red"}])})
    hold_out = hold_out.adding("letter", over_label)
    factors = {"label": np.array([0, 1, 1]), "ink": np.array([0, 0, 1])}
    assert hold_out.group_of(factors).tolist() == [-1, 0, 1]
    assert hold_out.keeps(factors).tolist() == [True, False, False]
    again = HoldOut.from_dict(hold_out.to_dict())
    assert again.groups == hold_out.groups
    assert HoldOut().keeps(factors).all()
    assert not HoldOut()
