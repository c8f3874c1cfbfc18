"""Values drawn from what a prior knows of them, in place of those of donors."""

import numpy as np
import pytest
from scipy import stats

from latentloom.augment import (
    Anchors,
    Block,
    BlockPrior,
    Coverage,
    DonorBank,
    LatentSpec,
    allot_cells,
    anchors_among,
    choose_cells,
    find_recipe,
    plan_variants,
    recombine,
)

MEANS = np.array([-10.0, 0.0, 10.0, 20.0])
"""Of the components for sites 0, 2, 1 and 1: two stand for one value."""
SITES = np.array([0, 2, 1, 1])


@pytest.fixture(scope="module")
def spec():
    """Content with the label, and looks with a prior that knows three sites."""
    loc = np.repeat(MEANS[None, :, None], 2, axis=2)
    prior = BlockPrior(np.array([[0.4, 0.3, 0.2, 0.1]]), loc, np.ones_like(loc), values=SITES)
    content = BlockPrior.standard_normal(3)
    return LatentSpec(
        (Block("content", 3, ("label",), content), Block("look", 2, ("site",), prior))
    )


@pytest.fixture(scope="module")
def many():
    """300 anchors of two classes and three sites, four variants each."""
    rows = np.arange(300)
    return Anchors(
        [f"many/{row:04d}" for row in rows],
        {"label": rows % 2, "site": rows % 3},
        np.full(300, 4),
    )


def swapped(spec, anchors, **options):
    options = {"factor": "site", "guided": False, **options}
    attempt = options.pop("attempt", 0)
    return plan_variants("swap_factor", anchors, spec, seed=1, attempt=attempt, options=options)


def made_by(spec, anchors, plan):
    latents = {b.name: np.full((len(anchors), b.dim), 99, np.float32) for b in spec}
    return recombine(latents, None, plan)


def test_a_prior_draws_the_components_of_a_value_as_often_as_their_weights_say(spec):
    prior, keys = spec["look"].prior, np.arange(4000, dtype=np.uint64)
    drawn = prior.sample(keys, values=np.ones(4000, np.int64), temperature=0)[:, 0]
    assert set(drawn.tolist()) == {10, 20}
    assert stats.binomtest(int((drawn == 10).sum()), 4000, 2 / 3).pvalue > 0.001
    assert (prior.sample(keys, values=np.full(4000, 2), temperature=0) == 0).all()


def test_a_draw_of_a_value_does_not_depend_on_the_other_rows(spec):
    prior, keys = spec["look"].prior, np.arange(60, dtype=np.uint64)
    values = np.arange(60) % 3
    whole = prior.sample(keys, values=values)
    np.testing.assert_array_equal(prior.sample(keys[7:9], values=values[7:9]), whole[7:9])


def test_a_value_without_a_component_is_refused(spec):
    keys = np.arange(2, dtype=np.uint64)
    with pytest.raises(ValueError, match=r"no component of a value.*\[0, 1, 2\].*value 3"):
        spec["look"].prior.sample(keys, values=np.array([1, 3]))
    with pytest.raises(ValueError, match="no component of a value"):
        spec["content"].prior.sample(keys, values=np.array([0, 0]))


def test_values_are_saved_with_the_prior_and_checked(spec):
    prior = spec["look"].prior
    assert BlockPrior.from_arrays(prior.to_arrays("look"), "look") == prior
    np.testing.assert_array_equal(prior.to_arrays("look")["look/values"], SITES)
    with pytest.raises(ValueError, match=r"do not fit together.*values `\(K,\)`"):
        BlockPrior(prior.weights, prior.loc, prior.scale, values=np.arange(3))
    for wrong in (-1.0, 0.5):
        with pytest.raises(ValueError, match="whole numbers of 0 or more"):
            BlockPrior(prior.weights, prior.loc, prior.scale, values=np.array([0, 1, 2, wrong]))


def test_looks_are_drawn_of_another_value_which_variants_take_in_turn(spec, many):
    plan = swapped(spec, many)
    own = many.factors["site"][plan.anchor]
    assert (plan.factors["site"] != own).all()
    np.testing.assert_array_equal(plan.label, many.factors["label"][plan.anchor])
    for anchor in range(300):
        assert len(set(plan.factors["site"][plan.anchor == anchor].tolist())) == 2
    made = made_by(spec, many, plan)
    assert (made["content"] == 99).all()
    nearest = SITES[np.abs(made["look"].mean(axis=1)[:, None] - MEANS).argmin(axis=1)]
    np.testing.assert_array_equal(nearest, plan.factors["site"])


def test_another_attempt_draws_the_same_value_anew(spec, many):
    first, second = swapped(spec, many), swapped(spec, many, attempt=1)
    np.testing.assert_array_equal(first.factors["site"], second.factors["site"])
    looks = [made_by(spec, many, plan)["look"] for plan in (first, second)]
    assert not np.isclose(*looks).any(axis=1).all()


def test_the_temperature_scales_looks_within_a_component(spec, many):
    made = made_by(spec, many, swapped(spec, many, temperature=0))["look"]
    assert set(np.unique(made)) <= set(MEANS)


def test_values_that_clash_with_what_the_anchor_keeps_are_not_drawn(spec, many):
    table = np.zeros((3, 2), bool)
    table[2] = True  # site 2 goes with no label
    plan = plan_variants(
        "swap_factor",
        many,
        spec,
        seed=1,
        options={"factor": "site", "guided": False},
        clashes={("site", "label"): table},
    )
    assert not (plan.factors["site"] == 2).any()


def test_no_other_value_is_refused(many):
    loc = np.zeros((1, 1, 2))
    prior = BlockPrior(np.ones((1, 1)), loc, loc + 1, values=np.zeros(1))
    content = Block("content", 3, ("label",), BlockPrior.standard_normal(3))
    spec = LatentSpec((content, Block("look", 2, ("site",), prior)))
    with pytest.raises(ValueError, match=r"no other value of 'site'.*Received: \[0\]"):
        swapped(spec, many)


def test_a_prior_that_knows_no_values_is_refused(many):
    blocks = [("content", 3, "label"), ("look", 2, "site")]
    spec = LatentSpec(
        tuple(Block(n, dim, (f,), BlockPrior.standard_normal(dim)) for n, dim, f in blocks)
    )
    with pytest.raises(ValueError, match="cannot draw block 'look' of a given site.*`guided` to t"):
        swapped(spec, many)


@pytest.mark.parametrize("style", ["anchor", "prior"])
def test_cells_are_filled_with_drawn_values(spec, many, style):
    names = {"label": ("a", "b"), "site": ("x", "y", "z")}
    coverage = Coverage(names).count(many.factors)
    bank = DonorBank.build(many.ids, many.factors, {}, seed=0, capacity=20)
    allotted = allot_cells(choose_cells(coverage, "balanced", 80), bank, seed=0)
    anchors = anchors_among(many.ids, many.factors, bank, *allotted)
    options = {"guided": False, "style": style, "temperature": 0.1}
    plan = plan_variants("recombine_factors", anchors, spec, seed=0, options=options)
    assert len(plan) == 6 * 30
    np.testing.assert_array_equal(plan.factors["site"], anchors.targets.factors["site"])
    np.testing.assert_array_equal(plan.label, anchors.targets.factors["label"])
    made = made_by(spec, anchors, plan)
    assert (made["content"] == 99).all()
    nearest = SITES[np.abs(made["look"].mean(axis=1)[:, None] - MEANS).argmin(axis=1)]
    np.testing.assert_array_equal(nearest, plan.factors["site"])


@pytest.mark.parametrize(
    ("recipe", "options", "takes"),
    [
        ("swap_factor", {"factor": "site"}, True),
        ("swap_factor", {"factor": "site", "guided": True}, True),
        ("swap_factor", {"factor": "site", "guided": 0}, False),
        ("recombine_factors", {"guided": False}, False),
        ("recombine_factors", {"guided": False, "style": "donor"}, True),
        ("class_preserving", {}, False),
    ],
)
def test_variants_without_guides_take_no_donors(recipe, options, takes):
    found = find_recipe(recipe)
    assert found.takes_donors(options) == takes
    assert (found.matched_by(options) is not None) == (takes and recipe == "swap_factor")


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ("swap_factor", {"factor": "site", "guided": 2.0}, "`guided`.*true or false.*guided=2.0"),
        ("swap_factor", {"factor": "site", "guided": "no"}, "`guided`.*true or false"),
        ("swap_factor", {"factor": True}, "`factor`.*a name.*factor=True"),
        ("class_preserving", {"temperature": True}, "`temperature`.*a number.*temperature=True"),
        ("swap_factor", {"factor": "site", "temperature": -1}, "temperature is out of range"),
    ],
)
def test_options_of_the_wrong_kind_are_refused(recipe, options, message):
    with pytest.raises(ValueError, match=message):
        find_recipe(recipe).resolve(options)


def test_a_class_is_sampled_where_the_components_of_its_block_stand_for_classes(many):
    loc = np.repeat(np.array([-5.0, 5.0])[None, :, None], 2, axis=2)
    prior = BlockPrior(np.full((1, 2), 0.5), loc, np.ones_like(loc), values=np.arange(2))
    spec = LatentSpec((Block("look", 2, ("label",), prior),))
    plan = plan_variants("sample_class", many, spec, seed=0)
    made = made_by(spec, many, plan)["look"]
    np.testing.assert_array_equal(made.mean(axis=1) > 0, plan.label == 1)
