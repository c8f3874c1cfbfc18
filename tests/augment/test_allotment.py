import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentloom.augment import DonorBank, allot_cells, anchors_among, choose_cells, find_clashes


@pytest.fixture(scope="module")
def cells(letter_grid):
    clashes = find_clashes(letter_grid.names, [("ink", "back")])
    return choose_cells(letter_grid, "balanced", 6, clashes)


def by_variant(anchors):
    """The target of each (anchor id, variant)."""
    targets = anchors.targets
    columns = np.stack([*targets.factors.values(), targets.steps], axis=1).tolist()
    names = [
        (identity, variant)
        for identity, number in zip(anchors.ids, anchors.variants.tolist(), strict=True)
        for variant in range(number)
    ]
    return dict(zip(names, map(tuple, columns), strict=True))


def test_every_variant_has_an_anchor_with_the_first_value(cells, letter_bank):
    rows, targets = allot_cells(cells, letter_bank, seed=0)
    assert len(rows) == cells.numbers.sum()
    np.testing.assert_array_equal(letter_bank.factors["label"][rows], targets.factors["label"])


def test_variants_of_a_cell_have_different_anchors_as_long_as_the_pool_lasts(cells, letter_bank):
    rows, targets = allot_cells(cells, letter_bank, seed=0)
    for key in np.unique(targets.keys):
        anchors = rows[targets.keys == key]
        assert len(set(anchors.tolist())) == len(anchors)


@given(order=st.permutations(range(60)), cuts=st.tuples(st.integers(0, 60), st.integers(0, 60)))
def test_variants_do_not_depend_on_order_or_sharding(cells, letters, letter_bank, order, cuts):
    ids, factors = letters
    allotted = allot_cells(cells, letter_bank, seed=0)
    whole = by_variant(anchors_among(ids, factors, letter_bank, *allotted))
    parts = {}
    for part in np.split(np.array(order), sorted(cuts)):
        some = {name: values[part] for name, values in factors.items()}
        parts |= by_variant(anchors_among([ids[row] for row in part], some, letter_bank, *allotted))
    assert parts == whole
    assert len(whole) == cells.numbers.sum()


def test_an_anchor_keeps_no_value_that_clashes_with_its_cell(letter_grid, letter_bank):
    clashes = find_clashes(letter_grid.names, [("ink", "back")])
    cells = choose_cells(letter_grid.over(["label", "back"]), "balanced", 30)
    rows, targets = allot_cells(cells, letter_bank, seed=0, clashes=clashes)
    assert (letter_bank.factors["ink"][rows] != targets.factors["back"]).all()
    free, _ = allot_cells(cells, letter_bank, seed=0)
    assert (letter_bank.factors["ink"][free] == targets.factors["back"]).any()


def test_a_cell_without_an_anchor_is_refused(letter_grid, letters, letter_latents):
    ids, factors = letters
    rows = np.flatnonzero((factors["label"] > 0) | (factors["ink"] == 1))
    bank = DonorBank.build(
        [ids[row] for row in rows],
        {name: values[rows] for name, values in factors.items()},
        {name: block[rows] for name, block in letter_latents.items()},
        seed=0,
        capacity=8,
    )
    clashes = find_clashes(letter_grid.names, [("ink", "back")])
    grid = letter_grid.over(["label", "back"])
    cells = choose_cells(grid, [{"label": "a", "back": "green"}], 1)
    with pytest.raises(ValueError, match="value 0 of factor 'label'.*leave its cells out"):
        allot_cells(cells, bank, seed=0, clashes=clashes)
