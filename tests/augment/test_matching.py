from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentloom.augment import Anchors, DonorBank, VariantPlan, identity_keys
from latentloom.augment.matching import match_donors, walk_places

NUM_CLASSES, PER_CLASS = 3, 8
LABELS = np.arange(NUM_CLASSES * PER_CLASS) % NUM_CLASSES
IDS = [f"toy/train/{row:08d}" for row in range(len(LABELS))]
BOTH = pytest.mark.parametrize("same_class", [True, False])


@pytest.fixture(scope="module")
def crowd(make_latents):
    """A bank with 6 of the 8 examples of each of three classes."""
    return DonorBank.build(IDS, {"label": LABELS}, make_latents(len(IDS)), seed=5, capacity=6)


def matched(spec, bank, rows, counts, *, same_class, attempt=0, seed=1):
    """Returns the anchors at some rows, their plan and the donors of its variants."""
    anchors = Anchors([IDS[row] for row in rows], {"label": LABELS[rows]}, counts)
    plan = VariantPlan.keep_all("swap", anchors, spec, seed=seed, attempt=attempt)
    keys = identity_keys(seed, "walk", anchors.ids)
    donors = match_donors(plan, anchors, bank, keys, attempt=attempt, same_value=same_class)
    return anchors, plan, donors


def by_variant(anchors, plan, donors):
    names = zip(plan.anchor.tolist(), plan.variant.tolist(), strict=True)
    return dict(zip([(anchors.ids[a], v) for a, v in names], donors.tolist(), strict=True))


@given(st.integers(1, 40), st.integers(0, 5), st.integers(0, 2**32))
def test_a_walk_meets_every_place_before_it_meets_one_again(size, attempt, key):
    keys, sizes = np.full(3 * size, key, np.uint64), np.full(3 * size, size)
    places = walk_places(keys, sizes, np.arange(3 * size), attempt).reshape(3, size)
    assert sorted(places[0].tolist()) == list(range(size))
    np.testing.assert_array_equal(places, places[[0, 0, 0]])


@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 2**32))
def test_as_many_attempts_as_places_have_different_places(size, step, key):
    keys, sizes = np.array([key], np.uint64), np.array([size])
    places = [walk_places(keys, sizes, np.array([step]), attempt)[0] for attempt in range(size)]
    assert len(set(places)) == size


def test_three_attempts_at_a_few_variants_share_no_place():
    keys, sizes, steps = np.full(10, 9, np.uint64), np.full(10, 64), np.arange(10)
    places = np.concatenate([walk_places(keys, sizes, steps, attempt) for attempt in range(3)])
    assert len(set(places.tolist())) == 30


@pytest.mark.parametrize("size", [2, 5, 12])
def test_every_place_is_as_likely_at_every_step_and_attempt(size):
    keys = identity_keys(0, "walk", [str(row) for row in range(3000)])
    for step, attempt in [(0, 0), (1, 0), (3, 1), (0, 2)]:
        places = walk_places(keys, np.full(3000, size), np.full(3000, step), attempt)
        assert stats.chisquare(np.bincount(places, minlength=size)).pvalue > 0.01


def test_every_pair_of_first_and_second_place_is_as_likely_in_a_pool_of_prime_size():
    keys, sizes = identity_keys(0, "walk", [str(row) for row in range(3000)]), np.full(3000, 5)
    first, second = (walk_places(keys, sizes, np.full(3000, step), 0) for step in (0, 1))
    counts = np.bincount(5 * first + second, minlength=25).reshape(5, 5)
    assert (np.diag(counts) == 0).all()
    assert stats.chisquare(counts[~np.eye(5, dtype=bool)]).pvalue > 0.01


@BOTH
@given(seed=st.integers(0, 2**32), attempt=st.integers(0, 3))
def test_a_donor_has_the_wanted_class_and_is_never_the_anchor(
    spec, crowd, same_class, seed, attempt
):
    rows = np.arange(len(IDS))
    anchors, plan, donors = matched(
        spec, crowd, rows, np.full(len(IDS), 9), same_class=same_class, seed=seed, attempt=attempt
    )
    has_class = crowd.factors["label"][donors] == plan.label
    assert has_class.all() if same_class else not has_class.any()
    assert not (crowd.ids[donors] == np.array(anchors.ids)[plan.anchor]).any()


@BOTH
def test_variants_of_an_anchor_have_different_donors_until_the_pool_is_used_up(
    spec, crowd, same_class
):
    for row in range(len(IDS)):
        size = 6 - (IDS[row] in crowd.ids) if same_class else 12
        *_, donors = matched(spec, crowd, [row], np.array([2 * size]), same_class=same_class)
        assert len(set(donors[:size].tolist())) == size
        np.testing.assert_array_equal(donors[size:], donors[:size])


@BOTH
def test_another_attempt_gives_every_variant_another_donor(spec, crowd, same_class):
    rows, counts = np.arange(len(IDS)), np.full(len(IDS), 9)
    attempts = [
        matched(spec, crowd, rows, counts, same_class=same_class, attempt=attempt)[-1]
        for attempt in range(5)
    ]
    for earlier in range(5):
        for later in range(earlier):
            assert (attempts[earlier] != attempts[later]).all()


@BOTH
@given(order=st.permutations(range(len(IDS))), cut=st.integers(0, len(IDS)))
def test_donors_do_not_depend_on_order_or_batching(spec, crowd, same_class, order, cut):
    counts = np.arange(len(IDS)) % 4
    whole = matched(spec, crowd, np.arange(len(IDS)), counts, same_class=same_class, attempt=1)
    parts = {}
    for rows in (np.array(order[:cut], int), np.array(order[cut:], int)):
        part = matched(spec, crowd, rows, counts[rows], same_class=same_class, attempt=1)
        parts |= by_variant(*part)
    assert parts == by_variant(*whole)


def test_anchors_go_different_ways(spec, crowd):
    rows = np.flatnonzero(LABELS == 0)
    *_, donors = matched(spec, crowd, rows, np.full(len(rows), 5), same_class=False)
    assert len({tuple(way) for way in donors.reshape(len(rows), 5).tolist()}) == len(rows)


@pytest.mark.parametrize("kept", [[1], []])
def test_an_anchor_without_another_example_of_its_class_is_named(spec, make_latents, kept):
    rows = np.array([0, 3, *kept])
    ids = [IDS[row] for row in rows]
    latents = make_latents(len(rows))
    bank = DonorBank.build(ids, {"label": LABELS[rows]}, latents, seed=0, capacity=5)
    message = (
        f"'{IDS[1]}' of class 1. Expected: another example of class 1. "
        f"Received: a pool of {len(kept)} examples. Import more examples of this class"
    )
    with pytest.raises(ValueError, match=message):
        matched(spec, bank, [0, 1], np.array([2, 2]), same_class=True)


def test_a_bank_that_holds_the_anchor_alone_names_its_capacity(spec, make_latents):
    rows = np.flatnonzero(LABELS == 1)
    ids = [IDS[row] for row in rows]
    factors = {"label": LABELS[rows]}
    bank = DonorBank.build(ids, factors, make_latents(len(rows)), seed=0, capacity=1)
    message = r"Received: a pool of 1 examples. Raise the capacity.*`generate.donors_per_class`"
    with pytest.raises(ValueError, match=message):
        matched(spec, bank, rows, np.ones(len(rows), int), same_class=True)


def test_an_anchor_without_an_example_of_another_class_is_named(spec, make_latents):
    rows = np.flatnonzero(LABELS == 2)
    ids = [IDS[row] for row in rows]
    latents = make_latents(len(rows))
    bank = DonorBank.build(ids, {"label": LABELS[rows]}, latents, seed=0, capacity=5)
    message = f"'{ids[0]}' of class 2. Expected: an example of another class.*set the option"
    with pytest.raises(ValueError, match=message):
        matched(spec, bank, rows, np.ones(len(rows), int), same_class=False)


def test_an_anchor_that_gets_no_variants_needs_no_donor(spec, crowd):
    lonely = replace(crowd, factors={"label": np.zeros(len(crowd), int)})
    *_, donors = matched(spec, lonely, [0, 1], np.array([3, 0]), same_class=True)
    assert len(donors) == 3
