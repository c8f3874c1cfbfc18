from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentloom.augment import (
    RECIPES,
    Origin,
    VariantPlan,
    blocks_read,
    plan_variants,
    recombine,
)

FLOATS = st.floats(-1e6, 1e6, width=32)


@pytest.fixture(scope="module")
def plan(anchors, spec):
    return VariantPlan.keep_all("reconstruct", anchors, spec, seed=3)


def with_block(plan, name, origin, donor: int | np.ndarray = -1, weight=0.0):
    """Returns the plan with one block changed in every variant."""
    size = len(plan)
    return replace(
        plan,
        origins=plan.origins | {name: np.full(size, origin, np.int8)},
        donors=plan.donors | {name: np.broadcast_to(donor, size)},
        weights=plan.weights | {name: np.broadcast_to(np.float32(weight), size)},
    )


def with_shift(plan, name, axis, amount):
    """Returns the plan with one entry of a block moved in every variant."""
    moved = np.full(len(plan), Origin.SHIFT, np.int8)
    return replace(
        plan,
        origins=plan.origins | {name: moved},
        axes=plan.axes | {name: np.full(len(plan), axis)},
        shifts=plan.shifts | {name: np.full(len(plan), amount, np.float32)},
    )


def assert_bit_equal(actual, expected):
    assert actual.dtype == expected.dtype
    assert actual.tobytes() == expected.tobytes()


@given(st.integers(0, 2**32))
def test_swapping_nothing_is_identity(anchors, spec, make_latents, seed):
    latents = make_latents(12, seed)
    latents["zu"][0] = -0.0
    once = replace(anchors, variants=np.ones(12, int))
    made = recombine(latents, None, plan_variants("reconstruct", once, spec, seed=seed))
    assert tuple(made) == spec.names
    for name in spec.names:
        assert_bit_equal(made[name], latents[name])


@pytest.mark.parametrize("recipe", ["class_preserving", "interpolate_zu"])
def test_kept_blocks_are_bit_equal(anchors, spec, bank, make_latents, recipe):
    latents = make_latents(12, seed=8)
    plan = plan_variants(recipe, anchors, spec, seed=0, donors=bank)
    made = recombine(latents, bank.latents, plan)
    assert_bit_equal(made["zs"], latents["zs"][plan.anchor])
    assert (made["zu"] != latents["zu"][plan.anchor]).all()


def test_the_anchors_are_left_as_they_were(plan, make_latents):
    latents, untouched = make_latents(12), make_latents(12)
    recombine(latents, None, with_block(plan, "zu", Origin.PRIOR))
    for name, block in latents.items():
        assert_bit_equal(block, untouched[name])


def test_sampled_blocks_come_from_the_prior_of_the_class(plan, spec, make_latents):
    sampled = with_block(plan, "zs", Origin.PRIOR)
    made = recombine(make_latents(12), None, sampled)["zs"]
    np.testing.assert_array_equal(made[:, 0] > 0, sampled.label == 1)
    prior = spec["zs"].prior
    assert_bit_equal(made, prior.sample(sampled.block_keys("zs"), sampled.label))


def test_each_block_is_drawn_at_its_own_temperature(plan, spec, make_latents):
    sampled = with_block(with_block(plan, "zu", Origin.PRIOR), "zt", Origin.PRIOR)
    warm = replace(sampled, temperatures={"zs": 1.0, "zu": 0.0, "zt": 2.0})
    made = recombine(make_latents(12), None, warm)
    assert_bit_equal(made["zu"], np.zeros((len(plan), 4), np.float32))
    assert_bit_equal(made["zt"], spec["zt"].prior.sample(warm.block_keys("zt"), temperature=2.0))


def test_swapped_blocks_are_the_donors(plan, make_latents):
    donors = make_latents(5, seed=1)
    rows = np.arange(len(plan)) % 5
    made = recombine(make_latents(12), donors, with_block(plan, "zu", Origin.DONOR, rows))
    assert_bit_equal(made["zu"], donors["zu"][rows])


@given(
    start=arrays(np.float32, (12, 4), elements=FLOATS),
    end=arrays(np.float32, (1, 4), elements=FLOATS),
    weight=st.floats(0, 1, width=32),
)
def test_interpolation_stays_between_its_ends(plan, make_latents, start, end, weight):
    latents = make_latents(12) | {"zu": start}
    donors = make_latents(1) | {"zu": end}
    mixed = with_block(plan, "zu", Origin.MIX, donor=0, weight=weight)
    made = recombine(latents, donors, mixed)["zu"]
    first = start[mixed.anchor]
    assert ((np.minimum(first, end) <= made) & (made <= np.maximum(first, end))).all()
    exact = first + np.float64(weight) * (end.astype(np.float64) - first)
    np.testing.assert_allclose(made, exact, rtol=1e-5, atol=0.5)


@pytest.mark.parametrize(("weight", "row"), [(0.0, "anchor"), (1.0, "donor")])
def test_the_ends_of_an_interpolation_are_anchor_and_donor(plan, make_latents, weight, row):
    latents, donors = make_latents(12), make_latents(1, seed=1)
    mixed = with_block(plan, "zu", Origin.MIX, donor=0, weight=weight)
    made = recombine(latents, donors, mixed)["zu"]
    expected = latents["zu"][mixed.anchor] if row == "anchor" else donors["zu"][mixed.donors["zu"]]
    np.testing.assert_array_equal(made, expected)


@given(st.permutations(range(18)), st.integers(0, 18))
def test_variants_are_the_same_in_any_batch(anchors, spec, bank, make_latents, order, cut):
    plan = plan_variants("interpolate_zu", anchors, spec, seed=0, donors=bank)
    plan = with_block(plan, "zt", Origin.PRIOR)
    latents = make_latents(12)
    whole = recombine(latents, bank.latents, plan)
    for rows in (np.array(order[:cut], int), np.array(order[cut:], int)):
        part = recombine(latents, bank.latents, plan.take(rows))
        for name in spec.names:
            assert_bit_equal(part[name], whole[name][rows])


def test_origins_may_differ_from_row_to_row(plan, make_latents):
    latents, donors = make_latents(12), make_latents(2, seed=1)
    rows = np.arange(len(plan)) % 3
    mixed = replace(
        plan,
        origins=plan.origins | {"zu": np.array([Origin.KEEP, Origin.DONOR, Origin.PRIOR])[rows]},
        donors=plan.donors | {"zu": np.array([-1, 1, -1])[rows]},
    )
    made = recombine(latents, donors, mixed)["zu"]
    np.testing.assert_array_equal(made[rows == 0], latents["zu"][plan.anchor[rows == 0]])
    np.testing.assert_array_equal(made[rows == 1], donors["zu"][[1] * (rows == 1).sum()])
    keys = plan.block_keys("zu")[rows == 2]
    np.testing.assert_array_equal(made[rows == 2], plan.spec["zu"].prior.sample(keys))


def test_a_shift_moves_one_entry_by_standard_deviations_of_its_prior(plan, make_latents):
    latents = make_latents(12)
    latents["zs"][:, 1] = -0.0
    spread = np.float32(np.sqrt(101.0))  # of two normals at -10 and 10
    made = recombine(latents, None, with_shift(plan, "zs", 2, 0.5))["zs"]
    kept = latents["zs"][plan.anchor]
    assert_bit_equal(made[:, :2], kept[:, :2])
    np.testing.assert_allclose(made[:, 2], kept[:, 2] + 0.5 * spread, rtol=1e-6)


def test_a_shift_by_nothing_leaves_the_anchor(plan, make_latents):
    latents = make_latents(12)
    made = recombine(latents, None, with_shift(plan, "zu", 1, 0.0))
    assert_bit_equal(made["zu"], latents["zu"][plan.anchor])


def test_a_plan_with_donors_needs_their_latents(plan, make_latents):
    with pytest.raises(ValueError, match="Pass `bank.latents`"):
        recombine(make_latents(12), None, with_block(plan, "zu", Origin.DONOR, donor=0))


@pytest.mark.parametrize(("num_anchors", "num_donors"), [(5, 4), (12, 3)])
def test_rows_past_the_latents_are_refused(plan, make_latents, num_anchors, num_donors):
    swapped = with_block(plan, "zu", Origin.DONOR, donor=3)
    with pytest.raises(ValueError, match="Pass the latents that the plan was made for"):
        recombine(make_latents(num_anchors), make_latents(num_donors), swapped)


@pytest.mark.parametrize(
    "recipe", [name for name, recipe in RECIPES.items() if not recipe.fills_cells]
)
def test_blocks_that_are_not_read_may_be_missing(
    anchors, spec, bank, make_latents, recipe, options
):
    latents, given = make_latents(12), options.get(recipe)
    plan = plan_variants(recipe, anchors, spec, seed=0, donors=bank, options=given)
    read = blocks_read(recipe, spec, list(anchors.factors), given)
    whole = recombine(latents, bank.latents, plan)
    of_anchors = {name: latents[name] for name in read.anchors}
    of_donors = {name: bank.latents[name] for name in read.donors}
    part = recombine(of_anchors, of_donors, plan)
    assert tuple(part) == spec.names
    for name in spec.names:
        assert_bit_equal(part[name], whole[name])
    for name in read.anchors:
        others = {other: block for other, block in of_anchors.items() if other != name}
        with pytest.raises(ValueError, match="Pass every block under its name"):
            recombine(others, of_donors, plan)
    for name in read.donors:
        others = {other: block for other, block in of_donors.items() if other != name}
        with pytest.raises(ValueError, match="Pass every block under its name"):
            recombine(of_anchors, others, plan)
