import logging

import numpy as np
import pytest

from latentloom.model_zoo.training.sharers import CANDIDATES, Sharers


def factors(*cells, names="abc"):
    return dict(zip(names, np.array(cells).T, strict=False))


def sharers_of(found):
    return Sharers(found, {name: int(codes.max()) + 1 for name, codes in found.items()})


def draw(sharers, rows, axes, seed=0):
    """Sharers of examples of their own, for the same factors each."""
    axes = np.broadcast_to(axes, (len(rows), len(axes)))
    uniforms = np.random.default_rng(seed).random((*axes.shape, CANDIDATES))
    return sharers.draw(sharers.codes[rows], rows, axes, uniforms)


def test_a_sharer_shares_that_factor_and_no_other(grid, sizes):
    sharers, rows = Sharers(grid, sizes), np.arange(72)
    found = draw(sharers, rows, [0, 1, 2])
    for axis in range(3):
        shared = sharers.codes[found[:, axis]] == sharers.codes[rows]
        np.testing.assert_array_equal(shared, np.broadcast_to(np.arange(3) == axis, (72, 3)))


def test_every_lone_sharer_is_drawn(grid, sizes):
    sharers, rows = Sharers(grid, sizes), np.zeros(4000, np.int64)
    found = draw(sharers, rows, [1])
    shared = sharers.codes == sharers.codes[0]
    expected = np.flatnonzero(shared[:, 1] & (shared.sum(axis=1) == 1))
    drawn, counts = np.unique(found, return_counts=True)
    np.testing.assert_array_equal(drawn, expected)
    assert counts.min() > 0.7 * 4000 / len(expected)


def test_where_none_shares_that_factor_alone_the_sharer_shares_little_else():
    nested = factors((0, 0, 0), (0, 0, 1), (0, 0, 0), (1, 1, 0), (1, 2, 1), (1, 1, 1))
    found = draw(sharers_of(nested), np.zeros(200, np.int64), [1])
    assert set(found[:, 0]) == {1}


def test_an_example_is_its_own_sharer_only_where_its_value_has_no_other(caplog):
    single = factors((0, 0), (0, 1), (0, 0), (1, 0), (2, 1), (2, 0), names="ab")
    with caplog.at_level(logging.WARNING):
        sharers = sharers_of(single)
    assert "'a' has too few training examples: 1 of 3 values have only one" in caplog.text
    rows = np.repeat(np.arange(6), 50)
    found = draw(sharers, rows, [0])[:, 0]
    assert set(rows[found == rows]) == {3}


def test_factors_shared_alone_are_found(grid, sizes):
    assert Sharers(grid, sizes).lone_factors() == list(sizes)


def test_a_factor_nested_in_another_is_never_shared_alone():
    nested = factors((0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 2, 1), (1, 1, 1), (0, 0, 2), (1, 2, 0))
    assert sharers_of(nested).lone_factors() == ["a", "c"]


def test_examples_that_share_two_factors_or_none_share_none_alone():
    assert sharers_of(factors((0, 0, 0), (0, 0, 1), (1, 1, 2), (1, 2, 2))).lone_factors() == []


def test_a_sample_of_the_cells_stands_for_many(grid, sizes, monkeypatch):
    monkeypatch.setattr("latentloom.model_zoo.training.sharers.MOST_CELLS", 20)
    assert Sharers(grid, sizes).lone_factors() == list(sizes)


def test_values_that_occur_are_known(grid, sizes):
    seen = {name: codes[grid["size"] != 2] for name, codes in grid.items()}
    known = Sharers(seen, sizes).know(np.array([[3, 1, 2], [0, 2, 0]]))
    assert known.tolist() == [True, False]


def test_a_factor_with_one_value_is_refused():
    with pytest.raises(ValueError, match="'b' has one value.*Leave 'b' out of `model.args.block_d"):
        sharers_of(factors((0, 1), (1, 1), (2, 1), names="ab"))


def test_factors_that_never_vary_apart_are_named():
    tied = factors((0, 2, 0), (1, 0, 0), (2, 1, 1), (0, 2, 1), (1, 0, 1))
    with pytest.raises(ValueError, match="'a' and 'b' never vary apart.*Leave 'b' out of"):
        sharers_of(tied)


def test_factors_that_vary_together_but_not_always_are_fine():
    often = sharers_of(factors((0, 0, 0), (1, 1, 1), (2, 2, 1), (0, 0, 1), (2, 1, 0)))
    assert {"a", "b"} <= set(often.lone_factors())


def test_a_missing_factor_is_refused(sizes):
    with pytest.raises(ValueError, match="lack a factor.*Received: label.*leave 'size' out of"):
        Sharers({"label": np.arange(4)}, sizes)
