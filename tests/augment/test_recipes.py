from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from augment import RECIPES, Anchors, DonorBank, Source, find_recipe, plan_variants

BLOCKS = ("zs", "zu", "zt")


def take(anchors, rows):
    """Returns some anchors, in the order of the rows."""
    factors = {name: values[rows] for name, values in anchors.factors.items()}
    return Anchors([anchors.ids[row] for row in rows], factors, anchors.variants[rows])


def contents(plan, anchors):
    """Returns what is planned for each (anchor id, variant), without row numbers of anchors."""
    columns = [plan.label, plan.keys]
    for kind in (plan.sources, plan.donors, plan.weights):
        columns.extend(kind.values())
    rows = zip(*(column.tolist() for column in columns), strict=True)
    names = [(anchors.ids[a], v) for a, v in zip(plan.anchor, plan.variant.tolist(), strict=True)]
    return dict(zip(names, rows, strict=True))


def sources(plan):
    return {name: set(column.tolist()) for name, column in plan.sources.items()}


def test_class_preserving_keeps_the_class_and_samples_the_rest(anchors, spec):
    plan = plan_variants("class_preserving", anchors, spec, seed=0)
    assert sources(plan) == {"zs": {Source.KEEP}, "zu": {Source.PRIOR}, "zt": {Source.PRIOR}}


def test_reconstruct_keeps_everything(anchors, spec):
    plan = plan_variants("reconstruct", anchors, spec, seed=0)
    assert sources(plan) == dict.fromkeys(BLOCKS, {Source.KEEP})


def test_interpolate_zu_keeps_the_class_and_mixes_the_rest(anchors, spec, bank):
    plan = plan_variants("interpolate_zu", anchors, spec, seed=0, donors=bank)
    assert sources(plan) == {"zs": {Source.KEEP}, "zu": {Source.MIX}, "zt": {Source.MIX}}


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@given(order=st.permutations(range(12)), cut=st.integers(0, 12))
def test_a_plan_does_not_depend_on_order_or_sharding(anchors, spec, bank, recipe, order, cut):
    whole = plan_variants(recipe, anchors, spec, seed=1, donors=bank)
    parts = {}
    for rows in (np.array(order[:cut], int), np.array(order[cut:], int)):
        shard = take(anchors, rows)
        parts |= contents(plan_variants(recipe, shard, spec, seed=1, donors=bank), shard)
    assert parts == contents(whole, anchors)


@given(more=st.integers(1, 4))
def test_more_variants_leave_the_first_ones_as_they_are(anchors, spec, bank, more):
    few = plan_variants("interpolate_zu", anchors, spec, seed=1, donors=bank)
    grown = replace(anchors, variants=anchors.variants + more)
    many = plan_variants("interpolate_zu", grown, spec, seed=1, donors=bank)
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


def test_donor_has_the_class_of_the_anchor_and_is_another_example(anchors, spec, bank):
    many = replace(anchors, variants=np.full(12, 40))
    plan = plan_variants("interpolate_zu", many, spec, seed=0, donors=bank)
    for name in ("zu", "zt"):
        rows = plan.donors[name]
        np.testing.assert_array_equal(bank.factors["label"][rows], plan.label)
        assert not (bank.ids[rows] == np.array(anchors.ids)[plan.anchor]).any()


def test_every_other_example_of_the_pool_is_equally_likely(anchors, spec, bank):
    own = anchors.ids.index(bank.ids[bank.pool("label", 1)[1]])
    alone = replace(take(anchors, [own]), variants=np.array([2000]))
    plan = plan_variants("interpolate_zu", alone, spec, seed=0, donors=bank)
    rows, counts = np.unique(plan.donors["zu"], return_counts=True)
    assert rows.tolist() == bank.pool("label", 1)[[0, 2]].tolist()
    assert stats.chisquare(counts).pvalue > 0.01


def test_an_anchor_outside_the_bank_draws_from_the_whole_pool(anchors, spec, bank):
    stranger = Anchors(["stranger"], {"label": np.array([0])}, np.array([200]))
    plan = plan_variants("interpolate_zu", stranger, spec, seed=0, donors=bank)
    assert set(plan.donors["zu"]) == set(bank.pool("label", 0))


def test_blocks_have_donors_and_weights_of_their_own(anchors, spec, bank):
    many = replace(anchors, variants=np.full(12, 40))
    plan = plan_variants("interpolate_zu", many, spec, seed=0, donors=bank)
    assert (plan.donors["zu"] != plan.donors["zt"]).any()
    assert abs(np.corrcoef(plan.weights["zu"], plan.weights["zt"])[0, 1]) < 0.2


def test_weights_are_uniform_between_low_and_high(anchors, spec, bank):
    many = replace(anchors, variants=np.full(12, 100))
    options = {"low": 0.1, "high": 0.3}
    plan = plan_variants("interpolate_zu", many, spec, seed=0, donors=bank, options=options)
    assert stats.kstest(plan.weights["zu"], stats.uniform(0.1, 0.2).cdf).pvalue > 0.01


def test_options_default_one_by_one():
    assert find_recipe("interpolate_zu").resolve({"low": 0.5}) == {"low": 0.5, "high": 0.75}


def test_an_unknown_recipe_names_the_nearest(anchors, spec):
    with pytest.raises(ValueError, match="Did you mean 'class_preserving'"):
        plan_variants("class-preserving", anchors, spec, seed=0)


def test_an_unknown_option_names_the_nearest(anchors, spec, bank):
    with pytest.raises(ValueError, match="Did you mean 'high'"):
        plan_variants("interpolate_zu", anchors, spec, seed=0, donors=bank, options={"hihg": 1})


@pytest.mark.parametrize("options", [{"low": -0.1}, {"high": 1.1}, {"low": 0.8}])
def test_shares_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="Pass shares, in order"):
        find_recipe("interpolate_zu").resolve(options)


def test_an_option_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="Leave it out to get 0.25"):
        find_recipe("interpolate_zu").resolve({"low": float("nan")})


def test_a_recipe_that_needs_donors_asks_for_a_bank(anchors, spec):
    with pytest.raises(ValueError, match="Build one with `DonorBank.build`"):
        plan_variants("interpolate_zu", anchors, spec, seed=0)


def test_a_bank_of_other_blocks_is_refused(anchors, spec, bank):
    other = replace(bank, latents={"zs": bank.latents["zs"]})
    with pytest.raises(ValueError, match="Pass every block under its name"):
        plan_variants("interpolate_zu", anchors, spec, seed=0, donors=other)


@pytest.mark.parametrize("kept", [[1], []])
def test_an_anchor_without_a_donor_is_named(anchors, spec, make_latents, kept):
    alone = replace(take(anchors, [1]), variants=np.array([2]))
    rows = take(anchors, np.array([0, 2, *kept]))
    bank = DonorBank.build(rows.ids, rows.factors, make_latents(len(rows)), seed=0, capacity=5)
    with pytest.raises(ValueError, match="toy/train/00000001.*Import more examples"):
        plan_variants("interpolate_zu", alone, spec, seed=0, donors=bank)


def test_attempts_count_from_zero(anchors, spec):
    with pytest.raises(ValueError, match="Count attempts from 0"):
        plan_variants("reconstruct", anchors, spec, seed=0, attempt=-1)
