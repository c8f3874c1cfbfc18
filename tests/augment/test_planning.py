from dataclasses import replace

import numpy as np
import pytest

from latentloom.augment import (
    Block,
    BlockPrior,
    LatentSpec,
    allot_cells,
    anchors_among,
    blocks_read,
    choose_cells,
    find_clashes,
    known_factors,
    plan_variants,
    recombine,
)

ALL = ("label", "ink", "back")


@pytest.fixture(scope="module")
def plan_cells(letters, letter_spec, letter_grid, letter_bank):
    """Returns a function that plans some examples a cell of a grid; the anchors and their plan."""

    def plan(factors=ALL, attempt=0, **options):
        clashes = find_clashes(letter_grid.names, [("ink", "back")])
        cells = choose_cells(
            letter_grid.over(factors), "balanced", 6 if len(factors) > 2 else 15, clashes
        )
        allotted = allot_cells(cells, letter_bank, seed=0, clashes=clashes)
        anchors = anchors_among(*letters, letter_bank, *allotted)
        made = plan_variants(
            "recombine_factors",
            anchors,
            letter_spec,
            seed=0,
            attempt=attempt,
            donors=letter_bank,
            options=options,
        )
        return anchors, made

    return plan


@pytest.mark.parametrize("factors", [ALL, ("label", "back"), ("ink", "back")])
def test_codes_have_the_values_of_the_cell_and_else_those_of_the_anchor(
    plan_cells, letter_latents, letter_bank, factors
):
    anchors, plan = plan_cells(factors)
    made = recombine(letter_latents, letter_bank.latents, plan)
    assert tuple(plan.factors) == ALL
    for name in ALL:
        np.testing.assert_array_equal(made[name][:, 0], plan.factors[name])
        own = anchors.factors[name][plan.anchor]
        expected = anchors.targets.factors[name] if name in factors else own
        np.testing.assert_array_equal(plan.factors[name], expected)
    np.testing.assert_array_equal(made["style"][:, 0], plan.anchor)
    assert (plan.factors["ink"] != plan.factors["back"]).all()


def test_variants_of_a_cell_differ_in_every_donor_while_the_pool_lasts(plan_cells):
    anchors, plan = plan_cells()
    for key in np.unique(anchors.targets.keys):
        rows = np.flatnonzero(anchors.targets.keys == key)
        for name in ("ink", "back"):
            assert len(set(plan.donors[name][rows].tolist())) == len(rows)


def test_another_attempt_has_other_donors_of_the_same_values(plan_cells):
    (_, first), (_, second) = plan_cells(attempt=0), plan_cells(attempt=1)
    for name in ALL:
        np.testing.assert_array_equal(first.factors[name], second.factors[name])
    for name in ("ink", "back"):
        assert (first.donors[name] != second.donors[name]).all()


def test_the_style_comes_from_anchor_donor_or_prior(plan_cells, letter_latents, letter_bank):
    codes = {}
    for style in ("anchor", "donor", "prior"):
        _, plan = plan_cells(style=style)
        codes[style] = recombine(letter_latents, letter_bank.latents, plan)["style"][:, 0]
        assert tuple(plan.factors) == ALL
    np.testing.assert_array_equal(codes["anchor"], plan.anchor)
    known = letter_bank.latents["style"][:, 0]
    assert np.isin(codes["donor"], known).all()
    assert np.mean(codes["donor"] == codes["anchor"]) < 0.2
    assert not np.isin(codes["prior"], known).any()


def test_a_plan_of_cells_is_the_same_for_some_of_the_anchors(plan_cells, letter_spec, letter_bank):
    anchors, whole = plan_cells()
    rows = np.flatnonzero(anchors.variants)[::2]
    part = plan_variants(
        "recombine_factors", anchors.take(rows), letter_spec, seed=0, donors=letter_bank
    )
    expected = whole.take(np.isin(whole.anchor, rows))
    np.testing.assert_array_equal(part.keys, expected.keys)
    for name in letter_spec.names:
        np.testing.assert_array_equal(part.donors[name], expected.donors[name])


def test_what_is_known_of_a_recipe_follows_from_the_spec(letter_spec):
    factors = [*ALL, "font"]
    recombined = known_factors("recombine_factors", letter_spec, factors, grid=["label", "back"])
    assert recombined == ALL
    prior = {"style": "prior"}
    assert known_factors("recombine_factors", letter_spec, factors, prior, ["label", "ink"]) == ALL
    assert known_factors("reconstruct", letter_spec, factors) == tuple(factors)
    assert known_factors("class_preserving", letter_spec, factors) == ("label",)
    assert known_factors("swap_zu", letter_spec, factors) == ALL
    assert known_factors("swap_factor", letter_spec, factors, {"factor": "ink"}) == ALL


def test_only_blocks_that_a_recipe_keeps_or_mixes_are_read(letter_spec):
    factors, names = [*ALL, "font"], letter_spec.names

    def read(recipe, options=None, grid=()):
        found = blocks_read(recipe, letter_spec, factors, options, grid)
        return found.anchors, found.donors

    assert read("reconstruct") == (names, ())
    assert read("class_preserving") == (("label",), ())
    assert read("swap_zu") == (("label",), ("ink", "back", "style"))
    assert read("interpolate_class") == (names, ("label",))
    assert read("swap_factor", {"factor": "ink"}) == (("label", "back", "style"), ("ink",))
    assert read("traverse", {"block": "style"}) == (names, ())
    grid = ["label", "back"]
    assert read("recombine_factors", grid=grid) == (("label", "ink", "style"), ("back",))
    styled = read("recombine_factors", {"style": "prior"}, grid)
    assert styled == (("label", "ink"), ("back",))


def test_recombination_needs_cells_that_fit_the_anchors(
    plan_cells, letters, letter_spec, letter_bank
):
    anchors, _ = plan_cells()
    given = {"seed": 0, "donors": letter_bank}
    with pytest.raises(ValueError, match="Allot them with `allot_cells`"):
        plan_variants("recombine_factors", replace(anchors, targets=None), letter_spec, **given)
    turned = anchors.targets.take(np.arange(len(anchors.targets))[::-1])
    with pytest.raises(ValueError, match="do not fit their cells"):
        plan_variants("recombine_factors", replace(anchors, targets=turned), letter_spec, **given)
    with pytest.raises(ValueError, match="Pass the cell of each variant"):
        replace(anchors, targets=turned.take(np.arange(3)))


def test_factors_of_a_cell_do_not_share_a_block(letter_spec):
    shared = Block("paint", 2, ("ink", "back"), BlockPrior.standard_normal(2))
    spec = LatentSpec((letter_spec["label"], shared))
    with pytest.raises(ValueError, match="'paint' two values.*Leave one of them out"):
        known_factors("recombine_factors", spec, ALL, grid=ALL)
    assert known_factors("recombine_factors", spec, ALL, grid=["label", "ink"]) == ALL


def test_a_factor_of_a_cell_has_a_block(letter_spec):
    with pytest.raises(ValueError, match="Received: factor='size'"):
        known_factors("recombine_factors", letter_spec, [*ALL, "size"], grid=["label", "size"])
