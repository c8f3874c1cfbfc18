"""Ties hold in as many examples as they say, and leave nothing else tied."""

import numpy as np
import pytest

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.study.ties import check_ties, draw_tied, follows_ties

FACTORS = {"label": list("abcd"), "ink": list("rgb"), "size": ["s", "m"], "only": ["x"]}


def grid(copies: int = 40) -> Examples:
    """Every cell of label, ink and size as often."""
    label, ink, size, _ = np.unravel_index(np.arange(24 * copies), (4, 3, 2, copies))
    images = np.zeros((len(label), 4, 4, 1), np.uint8)
    factors = {"label": label, "ink": ink, "size": size, "only": 0 * size}
    return Examples(images, factors, [f"e{row}" for row in range(len(label))])


@pytest.mark.parametrize("share", [0.9, 0.75])
def test_so_many_of_a_class_have_the_tied_value_and_the_others_share_the_rest(share):
    drawn = grid().take(draw_tied(grid(), 40, {"ink": share}, FACTORS, 0))
    for label in range(4):
        counts = np.bincount(drawn.factors["ink"][drawn.labels == label], minlength=3)
        assert counts.sum() == 40
        assert counts[label % 3] == round(share * 40)
        others = np.delete(counts, label % 3)
        assert abs(int(others[0]) - int(others[1])) <= 1
    assert follows_ties(drawn, {"ink": share}, FACTORS).mean() == share


def test_two_factors_are_tied_apart_from_each_other():
    ties = {"ink": 0.75, "size": 0.75}
    drawn = grid(80).take(draw_tied(grid(80), 80, ties, FACTORS, 0))
    inks = drawn.factors["ink"] == drawn.labels % 3
    sizes = drawn.factors["size"] == drawn.labels % 2
    assert inks.mean() == sizes.mean() == 0.75
    assert (inks & sizes).mean() == pytest.approx(0.75**2, abs=0.06)
    np.testing.assert_array_equal(follows_ties(drawn, ties, FACTORS), inks & sizes)


def test_the_draw_follows_the_seed_and_not_the_order():
    mixed = grid().take(np.random.default_rng(0).permutation(len(grid())))

    def drawn(of, seed):
        return {of.ids[row] for row in draw_tied(of, 10, {"ink": 0.8}, FACTORS, seed)}

    assert drawn(mixed, 0) == drawn(grid(), 0) != drawn(grid(), 1)
    assert len(drawn(grid(), 0)) == 40


def test_a_cell_with_too_few_examples_is_named():
    with pytest.raises(ValueError, match="too few examples with label=a, ink=r. Expected: 90"):
        draw_tied(grid(), 100, {"ink": 0.9}, FACTORS, 0)


@pytest.mark.parametrize("name", ["label", "only", "font"])
def test_what_cannot_be_tied_is_refused_with_what_can(name):
    with pytest.raises(ValueError, match=r"a factor of two values or more, of \['ink', 'size'\]"):
        check_ties({name: 0.9}, FACTORS)
