import numpy as np
import pytest

from latentloom.pipeline.importing.builtin.grid_sample import sample_cells

GRID = (5, 4, 30)
CELLS = np.arange(np.prod(GRID))


@pytest.mark.parametrize("size", [30, 100, 600])
def test_every_value_is_in_train_and_no_cell_twice(size):
    splits = sample_cells("grid", CELLS, GRID, size)
    for codes, count in zip(np.unravel_index(splits["train"], GRID), GRID, strict=True):
        assert len(np.unique(codes)) == count
    both = np.concatenate(list(splits.values()))
    assert len(np.unique(both)) == len(both) == size


def test_a_larger_sample_holds_the_smaller_split_by_split():
    small, large = (sample_cells("grid", CELLS, GRID, size) for size in (100, 300))
    for split, cells in small.items():
        assert set(cells) < set(large[split])


def test_only_the_given_cells_are_drawn_and_no_more_than_there_are():
    even = CELLS[CELLS % 2 == 0]
    splits = sample_cells("grid", even, (*GRID[:2], 15, 2), 10**6)
    np.testing.assert_array_equal(np.sort(np.concatenate(list(splits.values()))), even)


def test_another_source_has_another_sample():
    one, other = (sample_cells(name, CELLS, GRID, 100)["train"] for name in ("grid", "other"))
    assert set(one) != set(other)


def test_a_sample_too_small_for_every_value_names_the_source():
    with pytest.raises(ValueError, match="source 'grid'.*Expected: at least .* Raise it"):
        sample_cells("grid", CELLS, GRID, 29)
