from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentloom.augment import DonorBank, identity_keys

LABELS, FONTS = 3, 4
ROWS = st.lists(st.integers(0, 99), max_size=40)
CAPACITIES = st.integers(1, 6)


def bank_of(rows, capacity, seed=0):
    """Builds a bank of examples whose factors and latents follow from their number."""
    rows = np.array(rows, int)
    return DonorBank.build(
        [f"toy/{row}" for row in rows],
        {"label": rows * 7 % LABELS, "font": rows * 11 % FONTS},
        {"zu": np.stack([rows, -rows], axis=-1).astype(np.float32)},
        seed=seed,
        capacity=capacity,
    )


def assert_same(first, second):
    np.testing.assert_array_equal(first.keys, second.keys)
    np.testing.assert_array_equal(first.ids, second.ids)
    for name in first.factors:
        np.testing.assert_array_equal(first.factors[name], second.factors[name])
    np.testing.assert_array_equal(first.latents["zu"], second.latents["zu"])


@given(ROWS, ROWS, ROWS, CAPACITIES)
def test_merge_is_associative(first, second, third, capacity):
    a, b, c = (bank_of(rows, capacity) for rows in (first, second, third))
    assert_same(a.merge(b).merge(c), a.merge(b.merge(c)))
    assert_same(a.merge(b).merge(c), DonorBank.merge(a, b, c))


@given(ROWS, ROWS, CAPACITIES)
def test_merge_is_commutative(first, second, capacity):
    a, b = bank_of(first, capacity), bank_of(second, capacity)
    assert_same(a.merge(b), b.merge(a))


@given(ROWS, CAPACITIES)
def test_merge_is_idempotent(rows, capacity):
    bank = bank_of(rows, capacity)
    assert_same(bank.merge(bank), bank)
    assert_same(bank.merge(), bank)


@given(ROWS, ROWS, CAPACITIES)
def test_merged_parts_are_the_bank_of_the_whole(first, second, capacity):
    merged = bank_of(first, capacity).merge(bank_of(second, capacity))
    assert_same(merged, bank_of(first + second, capacity))


@given(ROWS, CAPACITIES)
def test_the_bank_holds_the_smallest_keys_of_each_value(rows, capacity):
    bank = bank_of(rows, capacity)
    distinct = np.array(sorted(set(rows)), int)
    keys = identity_keys(0, "donor", [f"toy/{row}" for row in distinct])
    for value in range(LABELS):
        smallest = np.sort(keys[distinct * 7 % LABELS == value])[:capacity]
        np.testing.assert_array_equal(bank.keys[bank.pool("label", value)], smallest)


@given(CAPACITIES)
def test_the_bank_is_bounded_whatever_it_has_seen(capacity):
    assert len(bank_of(range(1000), capacity)) <= capacity * (LABELS + FONTS)


def test_rows_are_in_key_order_and_keep_their_contents():
    bank = bank_of(range(50), 4)
    assert (bank.keys[1:] > bank.keys[:-1]).all()
    for row, identity in enumerate(bank.ids):
        number = int(identity.removeprefix("toy/"))
        assert bank.latents["zu"][row].tolist() == [number, -number]
        assert bank.factors["label"][row] == number * 7 % LABELS


def test_a_repeated_id_counts_once():
    assert_same(bank_of([5, 5, 5], 3), bank_of([5], 3))


def test_the_seed_decides_who_is_in_the_bank():
    assert set(bank_of(range(100), 2).ids) != set(bank_of(range(100), 2, seed=1).ids)


def test_a_value_nobody_has_gives_an_empty_pool():
    assert bank_of(range(9), 2).pool("label", 99).tolist() == []


@given(ROWS, CAPACITIES, st.integers(0, LABELS))
def test_the_pool_of_others_joins_the_pools_of_all_other_values(rows, capacity, value):
    bank = bank_of(rows, capacity)
    pools = [bank.pool("label", other) for other in range(LABELS) if other != value]
    joined = np.sort(np.concatenate(pools))
    assert bank.pool_of_others("label", value).tolist() == joined.tolist()


@given(ROWS)
def test_rows_are_found_by_id(rows):
    bank = bank_of(rows, 2)
    found = bank.rows_of(["stranger", *bank.ids])
    assert found.tolist() == [-1, *range(len(bank))]


@pytest.mark.parametrize("find", [DonorBank.pool, DonorBank.pool_of_others])
def test_an_unknown_factor_names_the_nearest(find):
    with pytest.raises(ValueError, match="Did you mean 'font'"):
        find(bank_of(range(3), 2), "fnt", 0)


def test_a_bank_needs_room():
    with pytest.raises(ValueError, match="Raise `capacity`"):
        bank_of([1], 0)


@pytest.mark.parametrize("change", [{"capacity": 3}, {"factors": {}}, {"latents": {}}])
def test_banks_of_different_forms_do_not_merge(change):
    bank = bank_of(range(3), 2)
    with pytest.raises(ValueError, match="Build both with the same arguments"):
        bank.merge(replace(bank, **change))


def test_columns_of_a_bank_have_one_length():
    with pytest.raises(ValueError, match="Pass one value per row"):
        DonorBank.build(["a"], {"label": np.array([0, 1])}, {}, seed=0, capacity=1)
