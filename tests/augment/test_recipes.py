from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentloom.augment import RECIPES, blocks_read, find_recipe, plan_variants

BY_ANCHOR = sorted(recipe.name for recipe in RECIPES.values() if not recipe.fills_cells)


def contents(plan, anchors):
    """Returns what is planned for each (anchor id, variant), without row numbers of anchors."""
    columns = [plan.keys]
    for kind in (*(plan.factors, plan.origins, plan.donors, plan.weights), plan.axes, plan.shifts):
        columns.extend(kind.values())
    rows = zip(*(column.tolist() for column in columns), strict=True)
    names = [(anchors.ids[a], v) for a, v in zip(plan.anchor, plan.variant.tolist(), strict=True)]
    return dict(zip(names, rows, strict=True))


@pytest.mark.parametrize("recipe", BY_ANCHOR)
@given(order=st.permutations(range(12)), cut=st.integers(0, 12))
def test_a_plan_does_not_depend_on_order_or_sharding(
    anchors, spec, bank, recipe, options, order, cut
):
    whole = plan_variants(recipe, anchors, spec, seed=1, donors=bank, options=options.get(recipe))
    parts = {}
    for rows in (np.array(order[:cut], int), np.array(order[cut:], int)):
        shard = anchors.take(rows)
        plan = plan_variants(recipe, shard, spec, seed=1, donors=bank, options=options.get(recipe))
        parts |= contents(plan, shard)
    assert parts == contents(whole, anchors)


@pytest.mark.parametrize("recipe", BY_ANCHOR)
@given(more=st.integers(1, 4))
def test_more_variants_leave_the_first_ones_as_they_are(anchors, spec, bank, recipe, options, more):
    few = plan_variants(recipe, anchors, spec, seed=1, donors=bank, options=options.get(recipe))
    grown = replace(anchors, variants=anchors.variants + more)
    many = plan_variants(recipe, grown, spec, seed=1, donors=bank, options=options.get(recipe))
    assert contents(few, anchors).items() <= contents(many, grown).items()


@pytest.mark.parametrize("change", [{"seed": 2}, {"seed": 1, "attempt": 1}])
def test_another_seed_or_attempt_draws_every_variant_anew(anchors, spec, bank, change):
    first = plan_variants("interpolate_zu", anchors, spec, seed=1, donors=bank)
    second = plan_variants("interpolate_zu", anchors, spec, donors=bank, **change)
    assert not set(first.keys) & set(second.keys)
    assert (first.weights["zu"] != second.weights["zu"]).all()
    np.testing.assert_array_equal(first.anchor, second.anchor)


def test_recipes_do_not_share_keys(anchors, spec):
    plans = [plan_variants(r, anchors, spec, seed=1) for r in ("reconstruct", "class_preserving")]
    assert not set(plans[0].keys) & set(plans[1].keys)


def test_options_default_one_by_one():
    assert find_recipe("interpolate_zu").resolve({"low": 0.5}) == {"low": 0.5, "high": 0.75}


def test_an_unknown_recipe_names_the_nearest(anchors, spec):
    with pytest.raises(ValueError, match="Did you mean 'class_preserving'"):
        plan_variants("class-preserving", anchors, spec, seed=0)


def test_an_unknown_option_names_the_nearest(anchors, spec, bank):
    with pytest.raises(ValueError, match="Did you mean 'high'"):
        plan_variants("interpolate_zu", anchors, spec, seed=0, donors=bank, options={"hihg": 1})


@pytest.mark.parametrize("recipe", ["interpolate_zu", "interpolate_class"])
@pytest.mark.parametrize("options", [{"low": -0.1}, {"high": 1.1}, {"low": 0.8}])
def test_shares_out_of_range_are_refused(recipe, options):
    with pytest.raises(ValueError, match="Pass shares, in order"):
        find_recipe(recipe).resolve(options)


@pytest.mark.parametrize("recipe", ["class_preserving", "sample_class"])
def test_a_negative_temperature_is_refused(recipe):
    with pytest.raises(ValueError, match="Received: temperature=-0.1. Pass 1.0 for the prior"):
        find_recipe(recipe).resolve({"temperature": -0.1})


@pytest.mark.parametrize("step", [0, -0.1, 1.01])
def test_a_step_that_goes_nowhere_or_past_the_prior_is_refused(step):
    with pytest.raises(ValueError, match=f"Received: step={step}. Pass 1.0 for draws"):
        find_recipe("class_preserving").resolve({"step": step})


@pytest.mark.parametrize("same_class", [-1, 0.5, 2])
def test_a_choice_of_donors_other_than_0_or_1_is_refused(same_class):
    with pytest.raises(ValueError, match="Pass 1 for donors of the anchor's class and 0"):
        find_recipe("swap_zu").resolve({"same_class": same_class})


def test_only_swapping_takes_donors_of_another_value(options):
    matched = {name: find_recipe(name).matched_by(options.get(name)) for name in RECIPES}
    assert {name: by for name, by in matched.items() if by} == {
        "swap_zu": ("label", False),
        "interpolate_zu": ("label", True),
        "interpolate_class": ("label", True),
        "swap_factor": ("font", False),
        "interpolate_factor": ("font", True),
    }
    assert find_recipe("swap_zu").matched_by({"same_class": 1}) == ("label", True)


@pytest.mark.parametrize("low", [float("nan"), "0.5"])
def test_an_option_that_is_not_a_number_is_refused(low):
    with pytest.raises(ValueError, match="Leave it out to get 0.25"):
        find_recipe("interpolate_zu").resolve({"low": low})


def test_an_option_that_is_a_name_must_be_named():
    with pytest.raises(ValueError, match="Received: factor=''. Set the option `factor`"):
        find_recipe("swap_factor").resolve()


@pytest.mark.parametrize("value", [2, 2.0, "2"])
def test_a_number_may_stand_for_a_text_of_its_digits(value):
    assert find_recipe("swap_factor").resolve({"factor": value})["factor"] == "2"
    assert find_recipe("traverse").resolve({"axes": value})["axes"] == "2"
    assert find_recipe("swap_factor").resolve({"factor": 1.5})["factor"] == "1.5"


@pytest.mark.parametrize(
    "options", [{"extent": 0, "least": 0}, {"extent": 0.4}, {"least": -0.1}, {"least": 2.1}]
)
def test_a_traversal_leads_somewhere(options):
    with pytest.raises(ValueError, match="0 <= least <= extent.*Pass standard deviations, in"):
        find_recipe("traverse").resolve(options)


@pytest.mark.parametrize("axes", ["0,0", "1,01", 2.5, "0;1", "0,", "-1", "first", "[0, 1]"])
def test_axes_are_different_numbers_with_commas_between_them(axes):
    with pytest.raises(ValueError, match="Write for example axes=0,1,2"):
        find_recipe("traverse").resolve({"axes": axes})


def test_an_unknown_style_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'prior'"):
        find_recipe("recombine_factors").resolve({"style": "priors"})


def test_a_choice_of_values_other_than_0_or_1_is_refused():
    with pytest.raises(ValueError, match="Pass 1 for donors with the anchor's value"):
        find_recipe("interpolate_factor").resolve({"factor": "font", "same_value": 2})


@pytest.mark.parametrize("recipe", [name for name in BY_ANCHOR if RECIPES[name].needs_donors])
def test_a_recipe_that_needs_donors_asks_for_a_bank_of_its_blocks(
    anchors, spec, bank, recipe, options
):
    with pytest.raises(ValueError, match="Build one with `DonorBank.build`"):
        plan_variants(recipe, anchors, spec, seed=0, options=options.get(recipe))
    read = blocks_read(recipe, spec, list(anchors.factors), options.get(recipe)).donors
    assert read
    other = replace(bank, latents={n: b for n, b in bank.latents.items() if n not in read})
    with pytest.raises(ValueError, match="Pass every block under its name"):
        plan_variants(recipe, anchors, spec, seed=0, donors=other, options=options.get(recipe))


def test_attempts_count_from_zero(anchors, spec):
    with pytest.raises(ValueError, match="Count attempts from 0"):
        plan_variants("reconstruct", anchors, spec, seed=0, attempt=-1)


def test_only_a_traversal_tells_axes(spec, options):
    told = {name: find_recipe(name).traversed(spec, options.get(name)) for name in RECIPES}
    assert {name: list(axes) for name, axes in told.items() if axes} == {"traverse": ["zu"]}
    axes = find_recipe("traverse").traversed(spec, {"block": "zs", "axes": "2,0"})["zs"]
    assert axes.tolist() == [2, 0]
