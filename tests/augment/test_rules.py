from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentloom.augment import (
    RECIPES,
    Anchors,
    Block,
    BlockPrior,
    LatentSpec,
    Origin,
    blocks_read,
    find_clashes,
    known_factors,
    plan_variants,
    recombine,
)

FACTORS, FONT = ["label", "font"], {"factor": "font"}
CHANGED = {  # which blocks a recipe changes, and how
    "class_preserving": {"zu": Origin.PRIOR, "zt": Origin.PRIOR},
    "sample_class": {"zs": Origin.PRIOR, "zu": Origin.PRIOR, "zt": Origin.PRIOR},
    "swap_zu": {"zu": Origin.DONOR, "zt": Origin.DONOR},
    "interpolate_zu": {"zu": Origin.MIX, "zt": Origin.MIX},
    "interpolate_class": {"zs": Origin.MIX},
    "swap_factor": {"zt": Origin.DONOR},
    "interpolate_factor": {"zt": Origin.MIX},
    "traverse": {"zu": Origin.SHIFT},
    "reconstruct": {},
}
MIXING = {"interpolate_zu": ("zu", "zt"), "interpolate_class": ("zs",)}
KNOWN = {  # of which factors the value is known
    **dict.fromkeys(("class_preserving", "sample_class", "interpolate_zu"), ["label"]),
    **dict.fromkeys(set(CHANGED) - {"class_preserving", "sample_class", "interpolate_zu"}, FACTORS),
}


def test_every_recipe_without_cells_is_tested_here():
    assert set(CHANGED) == {recipe.name for recipe in RECIPES.values() if not recipe.fills_cells}


@pytest.mark.parametrize("recipe", sorted(CHANGED))
def test_factors_are_those_of_the_source_of_their_block(anchors, spec, bank, recipe, options):
    plan = plan_variants(recipe, anchors, spec, seed=0, donors=bank, options=options.get(recipe))
    assert list(plan.factors) == KNOWN[recipe]
    assert known_factors(recipe, spec, FACTORS, options.get(recipe)) == tuple(KNOWN[recipe])
    np.testing.assert_array_equal(plan.label, anchors.factors["label"][plan.anchor])
    if "font" in plan.factors:
        own = anchors.factors["font"][plan.anchor]
        given = bank.factors["font"][plan.donors["zt"]]
        swapped = CHANGED[recipe].get("zt") == Origin.DONOR
        np.testing.assert_array_equal(plan.factors["font"], given if swapped else own)


def test_swapping_a_factor_takes_another_value_of_it(many, spec, bank):
    plan = plan_variants("swap_factor", many, spec, seed=0, donors=bank, options=FONT)
    assert (plan.factors["font"] != many.factors["font"][plan.anchor]).all()


def test_interpolating_a_factor_takes_another_example_of_its_value(many, spec, bank):
    plan = plan_variants("interpolate_factor", many, spec, seed=0, donors=bank, options=FONT)
    rows = plan.donors["zt"]
    np.testing.assert_array_equal(bank.factors["font"][rows], many.factors["font"][plan.anchor])
    assert not (bank.ids[rows] == np.array(many.ids)[plan.anchor]).any()


def test_a_factor_interpolated_to_another_value_is_unknown(many, spec, bank):
    options = FONT | {"same_value": 0}
    plan = plan_variants("interpolate_factor", many, spec, seed=0, donors=bank, options=options)
    assert list(plan.factors) == ["label"]
    given = bank.factors["font"][plan.donors["zt"]]
    assert (given != many.factors["font"][plan.anchor]).all()


def test_the_class_is_neither_swapped_nor_left_unknown(anchors, spec, bank):
    with pytest.raises(ValueError, match="Choose 'recombine_factors' or 'swap_zu'"):
        plan_variants(
            "swap_factor", anchors, spec, seed=0, donors=bank, options={"factor": "label"}
        )
    options = {"factor": "label", "same_value": 0}
    with pytest.raises(ValueError, match="'interpolate_factor' loses the class"):
        plan_variants("interpolate_factor", anchors, spec, seed=0, donors=bank, options=options)


def test_a_factor_that_no_block_carries_names_the_nearest(anchors, spec, bank):
    with pytest.raises(ValueError, match="Did you mean 'font'"):
        plan_variants(
            "swap_factor", anchors, spec, seed=0, donors=bank, options={"factor": "fonts"}
        )


def test_a_swapped_value_goes_with_what_the_anchor_keeps(many, spec, bank):
    clashes = find_clashes({"label": ["a", "b"], "font": ["a", "b", "c"]}, [("label", "font")])
    plan = plan_variants(
        "swap_factor", many, spec, seed=0, donors=bank, options=FONT, clashes=clashes
    )
    assert (plan.factors["font"] != plan.label).all()


@pytest.fixture(scope="module")
def many(anchors):
    """The anchors with 40 variants each."""
    return replace(anchors, variants=np.full(12, 40))


@pytest.mark.parametrize("recipe", sorted(CHANGED))
def test_a_recipe_changes_its_blocks_and_no_others(anchors, spec, bank, recipe, options):
    plan = plan_variants(recipe, anchors, spec, seed=0, donors=bank, options=options.get(recipe))
    kept = dict.fromkeys(spec.names, Origin.KEEP)
    found = {name: set(column.tolist()) for name, column in plan.origins.items()}
    assert found == {name: {origin} for name, origin in (kept | CHANGED[recipe]).items()}


@pytest.mark.parametrize("recipe", sorted(CHANGED))
@given(seed=st.integers(0, 2**32))
def test_kept_blocks_are_bit_equal(anchors, spec, bank, make_latents, recipe, options, seed):
    latents = make_latents(12, seed)
    latents["zs"][3] = -0.0
    plan = plan_variants(recipe, anchors, spec, seed=seed, donors=bank, options=options.get(recipe))
    made = recombine(latents, bank.latents, plan)
    for name in set(spec.names) - set(CHANGED[recipe]):
        assert made[name].tobytes() == latents[name][plan.anchor].tobytes()


@pytest.mark.parametrize("same_class", [0, 1])
@given(seed=st.integers(0, 2**32))
def test_swapped_blocks_are_those_of_one_donor_bit_for_bit(
    anchors, spec, bank, make_latents, same_class, seed
):
    options = {"same_class": same_class}
    plan = plan_variants("swap_zu", anchors, spec, seed=seed, donors=bank, options=options)
    np.testing.assert_array_equal(plan.donors["zu"], plan.donors["zt"])
    np.testing.assert_array_equal(
        bank.factors["label"][plan.donors["zu"]] == plan.label, bool(same_class)
    )
    made = recombine(make_latents(12, seed), bank.latents, plan)
    for name in ("zu", "zt"):
        assert made[name].tobytes() == bank.latents[name][plan.donors[name]].tobytes()


@pytest.mark.parametrize("recipe", sorted(MIXING))
def test_interpolation_takes_donors_of_the_class_never_the_anchor(many, spec, bank, recipe):
    plan = plan_variants(recipe, many, spec, seed=0, donors=bank)
    for name in MIXING[recipe]:
        rows = plan.donors[name]
        np.testing.assert_array_equal(bank.factors["label"][rows], plan.label)
        assert not (bank.ids[rows] == np.array(many.ids)[plan.anchor]).any()


@pytest.mark.parametrize("recipe", sorted(MIXING))
def test_interpolated_blocks_lie_between_anchor_and_donor(many, spec, bank, make_latents, recipe):
    latents = make_latents(12, seed=8)
    plan = plan_variants(recipe, many, spec, seed=0, donors=bank)
    made = recombine(latents, bank.latents, plan)
    for name in MIXING[recipe]:
        ends = np.stack([latents[name][plan.anchor], bank.latents[name][plan.donors[name]]])
        assert (ends.min(axis=0) <= made[name]).all()
        assert (made[name] <= ends.max(axis=0)).all()


@pytest.mark.parametrize("recipe", sorted(MIXING))
def test_weights_are_uniform_between_low_and_high(many, spec, bank, recipe):
    options = {"low": 0.1, "high": 0.3}
    plan = plan_variants(recipe, many, spec, seed=0, donors=bank, options=options)
    for name in MIXING[recipe]:
        assert stats.kstest(plan.weights[name], stats.uniform(0.1, 0.2).cdf).pvalue > 0.01


def test_interpolated_blocks_have_donors_and_weights_of_their_own(many, spec, bank):
    plan = plan_variants("interpolate_zu", many, spec, seed=0, donors=bank)
    assert (plan.donors["zu"] != plan.donors["zt"]).any()
    assert abs(np.corrcoef(plan.weights["zu"], plan.weights["zt"])[0, 1]) < 0.2


@pytest.mark.parametrize("recipe", [r for r in sorted(CHANGED) if RECIPES[r].needs_donors])
def test_variants_of_an_anchor_have_different_donors(spec, bank, recipe, options):
    stranger = Anchors(["s"], {"label": np.array([0]), "font": np.array([0])}, np.array([3]))
    plan = plan_variants(recipe, stranger, spec, seed=0, donors=bank, options=options.get(recipe))
    for name in CHANGED[recipe]:
        assert len(set(plan.donors[name].tolist())) == 3


@pytest.mark.parametrize("recipe", sorted(set(CHANGED) - {"reconstruct"}))
def test_another_attempt_makes_other_codes_from_other_donors(
    spec, bank, make_latents, recipe, options
):
    stranger = Anchors(["s"], {"label": np.array([0]), "font": np.array([0])}, np.array([3]))
    latents = make_latents(1)
    plans = [
        plan_variants(
            recipe,
            stranger,
            spec,
            seed=0,
            donors=bank,
            attempt=attempt,
            options=options.get(recipe),
        )
        for attempt in range(3)
    ]
    for name in CHANGED[recipe]:
        made = np.stack([recombine(latents, bank.latents, plan)[name] for plan in plans])
        for variant in range(3):
            assert len(np.unique(made[:, variant], axis=0)) == 3
            donors = {int(plan.donors[name][variant]) for plan in plans}
            assert len(donors) == (3 if RECIPES[recipe].needs_donors else 1)


def test_a_sampled_class_comes_from_the_prior_of_the_variants_own_label(many, spec, make_latents):
    plan = plan_variants("sample_class", many, spec, seed=0)
    made = recombine(make_latents(12), None, plan)["zs"]
    loc = np.where(plan.label == 1, 10.0, -10.0)[:, None]
    assert stats.kstest((made - loc).ravel(), "norm").pvalue > 0.01


def test_a_sampled_class_takes_nothing_from_its_anchor(anchors, spec, make_latents):
    plan = plan_variants("sample_class", anchors, spec, seed=0)
    made = [recombine(make_latents(12, seed), None, plan) for seed in (1, 2)]
    for name in spec.names:
        np.testing.assert_array_equal(made[0][name], made[1][name])


@pytest.mark.parametrize(
    ("recipe", "heated"), [("class_preserving", {"zu", "zt"}), ("sample_class", {"zs"})]
)
@given(temperature=st.floats(0, 3))
def test_temperature_scales_the_spread_of_its_blocks_and_of_no_others(
    anchors, spec, make_latents, recipe, heated, temperature
):
    latents = make_latents(12)
    plan = plan_variants(recipe, anchors, spec, seed=0)
    options = {"temperature": temperature}
    hot = recombine(latents, None, plan_variants(recipe, anchors, spec, seed=0, options=options))
    made = recombine(latents, None, plan)
    loc = {"zs": np.where(plan.label == 1, 10.0, -10.0)[:, None], "zu": 0.0, "zt": 0.0}
    for name in spec.names:
        factor = temperature if name in heated else 1.0
        expected = loc[name] + factor * (made[name].astype(float) - loc[name])
        expected = made[name] if name not in CHANGED[recipe] else expected
        np.testing.assert_allclose(hot[name], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("recipe", ["class_preserving", "sample_class"])
def test_temperature_zero_gives_the_means_of_the_prior(anchors, spec, make_latents, recipe):
    plan = plan_variants(recipe, anchors, spec, seed=0, options={"temperature": 0})
    made = recombine(make_latents(12), None, plan)
    if recipe == "sample_class":
        expected = np.where(plan.label == 1, 10.0, -10.0)[:, None]
        np.testing.assert_array_equal(made["zs"], np.repeat(expected, 3, axis=1))
    else:
        assert not made["zu"].any()
        assert not made["zt"].any()


@pytest.mark.parametrize(("step", "read"), [(1.0, ("zs",)), (0.6, ("zs", "zu", "zt"))])
def test_a_step_moves_the_anchors_own_blocks_to_the_draws(anchors, spec, make_latents, step, read):
    latents, options = make_latents(12), {"step": step}
    plan = plan_variants("class_preserving", anchors, spec, seed=0, options=options)
    assert blocks_read("class_preserving", spec, ("label", "font"), options).anchors == read
    assert tuple(plan.factors) == ("label",)
    drawn = recombine(latents, None, plan_variants("class_preserving", anchors, spec, seed=0))
    made = recombine(latents, None, plan)
    np.testing.assert_array_equal(made["zs"], latents["zs"][plan.anchor])
    for name in ("zu", "zt"):
        expected = np.sqrt(1 - step**2) * latents[name][plan.anchor] + step * drawn[name]
        np.testing.assert_allclose(made[name], expected, atol=1e-5)


def test_a_class_is_not_drawn_from_a_prior_that_ignores_it(anchors, spec):
    unfit = Block("zs", 3, ("label",), BlockPrior.standard_normal(3))
    unfit_spec = LatentSpec((unfit, *spec.blocks[1:]))
    with pytest.raises(ValueError, match="'zs'.*Choose a recipe that keeps this block"):
        plan_variants("sample_class", anchors, unfit_spec, seed=0)


@pytest.mark.parametrize("recipe", ["class_preserving", "swap_zu", "interpolate_zu"])
def test_a_code_without_free_blocks_has_nothing_to_change(anchors, spec, bank, recipe):
    only = LatentSpec(spec.blocks[:1])
    latents = {"zs": bank.latents["zs"]}
    with pytest.raises(ValueError, match="Choose 'sample_class' or 'interpolate_class'"):
        plan_variants(recipe, anchors, only, seed=0, donors=replace(bank, latents=latents))


@pytest.mark.parametrize("recipe", ["sample_class", "interpolate_class"])
def test_a_code_without_the_class_has_nothing_to_change(anchors, spec, bank, recipe):
    only = LatentSpec(spec.blocks[1:])
    latents = {name: bank.latents[name] for name in only.names}
    with pytest.raises(ValueError, match="Name 'label' among the factors"):
        plan_variants(recipe, anchors, only, seed=0, donors=replace(bank, latents=latents))


@given(seed=st.integers(0, 2**32), axes=st.permutations(range(4)), count=st.integers(1, 4))
def test_a_traversal_moves_one_entry_of_one_block_by_the_planned_amount(
    anchors, spec, make_latents, seed, axes, count
):
    chosen = axes[:count]
    options = {"block": "zu", "axes": ",".join(map(str, chosen)), "extent": 1.5}
    latents = make_latents(12, seed)
    latents["zu"][3] = -0.0
    plan = plan_variants("traverse", anchors, spec, seed=seed, options=options)
    made, kept = recombine(latents, None, plan)["zu"], latents["zu"][plan.anchor]
    assert plan.axes["zu"].tolist() == [chosen[v % count] for v in plan.variant]
    for row, axis in enumerate(plan.axes["zu"]):
        others = np.arange(4) != axis
        assert made[row, others].tobytes() == kept[row, others].tobytes()
        assert made[row, axis] == kept[row, axis] + plan.shifts["zu"][row]  # the spread is 1


@pytest.mark.parametrize("least", [0.0, 1.0])
def test_amounts_of_a_traversal_are_uniform_from_least_to_extent_either_way(many, spec, least):
    options = {"block": "zu", "least": least, "extent": 3}
    amounts = plan_variants("traverse", many, spec, seed=0, options=options).shifts["zu"]
    assert stats.kstest(np.abs(amounts), stats.uniform(least, 3 - least).cdf).pvalue > 0.01
    assert abs(np.mean(amounts > 0) - 0.5) < 0.08


def test_another_attempt_moves_by_another_amount_along_the_same_axis(anchors, spec):
    first, second = (
        plan_variants("traverse", anchors, spec, seed=0, attempt=a, options={"block": "zt"})
        for a in (0, 1)
    )
    np.testing.assert_array_equal(first.axes["zt"], second.axes["zt"])
    assert (first.shifts["zt"] != second.shifts["zt"]).all()


@given(order=st.permutations(range(12)), cut=st.integers(0, 12))
def test_a_traversal_is_the_same_in_any_order_and_batch(anchors, spec, make_latents, order, cut):
    latents, options = make_latents(12), {"block": "zu", "axes": "3,1"}
    plan = plan_variants("traverse", anchors, spec, seed=1, options=options)
    whole = recombine(latents, None, plan)
    for rows in (np.array(order[:cut], int), np.array(order[cut:], int)):
        own = {name: code[rows] for name, code in latents.items()}
        part = plan_variants("traverse", anchors.take(rows), spec, seed=1, options=options)
        made = recombine(own, None, part)
        found = [np.flatnonzero(plan.anchor == row) for row in rows]
        variants = np.concatenate([*found, np.empty(0, int)]).astype(int)
        for name in spec.names:
            assert made[name].tobytes() == whole[name][variants].tobytes()


def test_moving_a_block_claims_the_class_and_no_other_factor_of_it(anchors, spec):
    for block, known in (("zs", FACTORS), ("zu", FACTORS), ("zt", ["label"])):
        options = {"block": block}
        plan = plan_variants("traverse", anchors, spec, seed=0, options=options)
        assert list(plan.factors) == known
        assert known_factors("traverse", spec, FACTORS, options) == tuple(known)
        np.testing.assert_array_equal(plan.label, anchors.factors["label"][plan.anchor])


def test_a_traversal_that_does_not_fit_the_code_is_refused_without_any_anchor(spec):
    with pytest.raises(ValueError, match="Set the option `block`"):
        known_factors("traverse", spec, FACTORS)
    with pytest.raises(ValueError, match="'zu' has no axis 4"):
        known_factors("traverse", spec, FACTORS, {"block": "zu", "axes": "4"})
