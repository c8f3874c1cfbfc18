from dataclasses import replace

import numpy as np
import pytest

from latentloom.augment import Anchors, Origin, VariantPlan, derive, identity_keys

COLUMNS = ("origins", "donors", "weights", "axes", "shifts")


@pytest.fixture
def plan(anchors, spec):
    return VariantPlan.keep_all("reconstruct", anchors, spec, seed=3)


def test_each_anchor_gets_its_number_of_variants(plan, anchors):
    np.testing.assert_array_equal(np.bincount(plan.anchor, minlength=12), anchors.variants)
    assert len(plan) == anchors.variants.sum()


def test_variants_of_an_anchor_are_numbered_from_zero(plan):
    assert plan.anchor[:6].tolist() == [1, 2, 2, 3, 3, 3]
    assert plan.variant[:6].tolist() == [0, 0, 1, 0, 1, 2]


def test_a_variant_expects_the_factors_of_its_anchor(plan, anchors):
    np.testing.assert_array_equal(plan.label, anchors.factors["label"][plan.anchor])
    for name, values in anchors.factors.items():
        np.testing.assert_array_equal(plan.factors[name], values[plan.anchor])


def test_a_key_is_derived_from_identity_variant_and_attempt(anchors, spec):
    plan = VariantPlan.keep_all("reconstruct", anchors, spec, seed=3, attempt=2)
    identity = identity_keys(3, "reconstruct", anchors.ids)[plan.anchor]
    np.testing.assert_array_equal(plan.keys, derive(derive(identity, plan.variant), 2))


def test_no_two_variants_share_a_key(plan):
    assert len(np.unique(plan.keys)) == len(plan)


def test_blocks_draw_from_keys_of_their_own(plan, spec):
    keys = [plan.block_keys(name) for name in spec.names]
    assert len(np.unique(np.concatenate([plan.keys, *keys]))) == 4 * len(plan)


def test_take_picks_rows_by_index_and_by_mask(plan):
    picked = plan.take(np.array([4, 0]))
    assert len(picked) == 2
    assert picked.keys.tolist() == plan.keys[[4, 0]].tolist()
    np.testing.assert_array_equal(picked.block_keys("zu"), plan.block_keys("zu")[[4, 0]])
    warmer = replace(plan, temperatures=plan.temperatures | {"zu": 1.5})
    assert warmer.take(np.array([4, 0])).temperatures == {"zs": 1.0, "zu": 1.5, "zt": 1.0}
    assert plan.take(plan.label == 1).label.tolist() == [1] * int((plan.label == 1).sum())


def test_no_anchors_make_an_empty_plan(spec):
    empty = Anchors([], {"label": np.array([])}, np.array([]))
    assert len(VariantPlan.keep_all("reconstruct", empty, spec, seed=0)) == 0


def test_anchors_need_a_class():
    with pytest.raises(ValueError, match="Name the class factor 'label'"):
        Anchors(["a"], {"font": np.array([0])}, np.array([1]))


def test_anchors_are_unique():
    with pytest.raises(ValueError, match="Ask for more variants of an anchor"):
        Anchors(["a", "a"], {"label": np.array([0, 0])}, np.array([1, 1]))


def test_anchors_have_no_negative_variants():
    with pytest.raises(ValueError, match="Pass 0 to leave an anchor out"):
        Anchors(["a"], {"label": np.array([0])}, np.array([-1]))


def test_columns_of_anchors_have_one_length():
    with pytest.raises(ValueError, match="Pass one value per row"):
        Anchors(["a", "b"], {"label": np.array([0])}, np.array([1, 1]))


@pytest.mark.parametrize("name", ["anchor", "variant"])
def test_a_negative_index_is_refused(plan, name):
    with pytest.raises(ValueError, match="Pass row indices"):
        replace(plan, **{name: getattr(plan, name) - 10})


def test_a_negative_value_is_refused(plan):
    with pytest.raises(ValueError, match="font >= 0.*Pass row indices"):
        replace(plan, factors=plan.factors | {"font": plan.factors["font"] - 10})


def test_a_plan_that_loses_the_class_is_refused(plan):
    with pytest.raises(ValueError, match="Choose a recipe that keeps the blocks that carry"):
        replace(plan, factors={"font": plan.factors["font"]})


@pytest.mark.parametrize("name", ["variant", "keys"])
def test_a_short_column_is_refused(plan, name):
    with pytest.raises(ValueError, match="Pass one value per row"):
        replace(plan, **{name: getattr(plan, name)[1:]})


@pytest.mark.parametrize("kind", [*COLUMNS, "temperatures"])
def test_every_block_has_its_entries_in_order(plan, kind):
    entries = dict(reversed(getattr(plan, kind).items()))
    with pytest.raises(ValueError, match=f"{kind}.*Give every block of the spec an entry"):
        replace(plan, **{kind: entries})


@pytest.mark.parametrize("temperature", [-0.1, np.nan, np.inf])
def test_an_impossible_temperature_is_refused(plan, temperature):
    with pytest.raises(ValueError, match="'zu'.*Pass 1.0 for the prior itself"):
        replace(plan, temperatures=plan.temperatures | {"zu": temperature})


@pytest.mark.parametrize(
    ("origin", "donor", "weight", "fix"),
    [
        (9, -1, 0.0, "Use the values of `Origin`"),
        (Origin.DONOR, -1, 0.0, "Give a donor where one is used"),
        (Origin.KEEP, 2, 0.0, "Give a donor where one is used"),
        (Origin.DONOR, 2, 0.5, "Pass the share of the donor"),
        (Origin.MIX, 2, 1.5, "Pass the share of the donor"),
        (Origin.MIX, 2, np.nan, "Pass the share of the donor"),
    ],
)
def test_origin_donor_and_weight_fit_together(plan, origin, donor, weight, fix):
    columns = {
        "origins": np.full(len(plan), origin, np.int8),
        "donors": np.full(len(plan), donor),
        "weights": np.full(len(plan), weight, np.float32),
    }
    changed = {kind: getattr(plan, kind) | {"zu": column} for kind, column in columns.items()}
    with pytest.raises(ValueError, match=fix):
        replace(plan, **changed)


@pytest.mark.parametrize(
    ("origin", "axis", "amount", "fix"),
    [
        (Origin.SHIFT, -1, 0.0, "Give an axis where one is moved"),
        (Origin.SHIFT, 4, 0.0, "Give an axis where one is moved"),
        (Origin.KEEP, 0, 0.0, "Give an axis where one is moved"),
        (Origin.SHIFT, 0, np.nan, "'zu'.*Pass standard deviations"),
        (Origin.KEEP, -1, 0.5, "'zu'.*Pass standard deviations"),
    ],
)
def test_origin_axis_and_shift_fit_together(plan, origin, axis, amount, fix):
    columns = {
        "origins": np.full(len(plan), origin, np.int8),
        "axes": np.full(len(plan), axis),
        "shifts": np.full(len(plan), amount, np.float32),
    }
    changed = {kind: getattr(plan, kind) | {"zu": column} for kind, column in columns.items()}
    with pytest.raises(ValueError, match=fix):
        replace(plan, **changed)


def test_take_picks_axes_and_shifts(plan):
    size = len(plan)
    moved = replace(
        plan,
        origins=plan.origins | {"zu": np.full(size, Origin.SHIFT, np.int8)},
        axes=plan.axes | {"zu": np.arange(size) % 4},
        shifts=plan.shifts | {"zu": np.arange(size, dtype=np.float32)},
    )
    picked = moved.take(np.array([4, 0]))
    assert picked.shifts["zu"].tolist() == [4.0, 0.0]
    assert picked.axes["zu"].tolist() == [0, 0]
    assert moved.take(np.array([3])).axes["zu"].tolist() == [3]
