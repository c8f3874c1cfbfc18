from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentloom.augment.randomness import (
    derive,
    identity_keys,
    integers,
    normals,
    philox4x32,
    uniforms,
)

KEYS = identity_keys(0, "test", [f"toy/train/{row:08d}" for row in range(4000)])

# Random123's kat_vectors for philox4x32-10: counter, key, output.
KNOWN_ANSWERS = [
    ("00000000" * 4, "00000000" * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff" * 4, "ffffffff" * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a8885a308d313198a2e03707344",
        "a4093822299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def words(text):
    return np.frombuffer(bytes.fromhex(text), ">u4").astype(np.uint32)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, expected):
    np.testing.assert_array_equal(philox4x32(words(counter), words(key)), words(expected))


def test_philox_encrypts_a_whole_array_as_it_does_each_row():
    counters = np.stack([words(counter) for counter, _, _ in KNOWN_ANSWERS])
    keys = np.stack([words(key) for _, key, _ in KNOWN_ANSWERS])
    expected = np.stack([words(answer) for _, _, answer in KNOWN_ANSWERS])
    np.testing.assert_array_equal(philox4x32(counters, keys), expected)


def test_a_uniform_is_the_top_53_bits_of_its_philox_words():
    key = np.array([0x299F31D0A4093822], np.uint64)
    low, high = (
        int(word) for word in philox4x32(np.array([0, 7, 0, 0]), words("a4093822299f31d0"))[:2]
    )
    assert uniforms(key, 1, stream=7)[0, 0] == ((high << 32 | low) >> 11) / 2**53


def test_an_identity_key_is_a_hash_of_seed_use_and_id():
    digest = blake2b(b"3\0donor\0toy/1", digest_size=8).digest()
    assert identity_keys(3, "donor", ["toy/1"]).tolist() == [int.from_bytes(digest, "little")]


def test_seed_use_and_id_each_change_the_key():
    keys = [identity_keys(*use, ["a"])[0] for use in [(0, "x"), (1, "x"), (0, "y")]]
    keys.append(identity_keys(0, "x", ["b"])[0])
    assert len(set(keys)) == 4


def test_no_identities_give_no_keys():
    assert identity_keys(0, "x", []).shape == (0,)


def test_children_of_a_key_differ_from_it_and_from_each_other():
    children = [derive(KEYS, counter) for counter in (0, 1, 2**32)]
    assert len(np.unique(np.concatenate([KEYS, *children]))) == 4 * len(KEYS)


def test_a_child_shares_no_bits_with_the_draws_of_its_parent():
    bits = (derive(KEYS, 0) >> np.uint64(11)) * 2.0**-53
    assert not (bits == uniforms(KEYS, 1)[:, 0]).any()


def test_derive_takes_one_counter_per_key():
    each = derive(KEYS[:5], np.arange(5))
    assert each.tolist() == [derive(KEYS[i : i + 1], i)[0] for i in range(5)]


@given(st.permutations(range(50)), st.integers(1, 50), st.integers(1, 9))
def test_a_key_gives_the_same_numbers_in_any_batch(order, size, count):
    rows = np.array(order[:size])
    for draw in (uniforms, normals):
        np.testing.assert_array_equal(draw(KEYS[rows], count), draw(KEYS[:50], count)[rows])
    np.testing.assert_array_equal(integers(KEYS[rows], 7), integers(KEYS[:50], 7)[rows])
    np.testing.assert_array_equal(derive(KEYS[rows], count), derive(KEYS[:50], count)[rows])


@pytest.mark.parametrize("draw", [uniforms, normals])
@given(count=st.integers(0, 9))
def test_fewer_numbers_are_a_prefix_of_more(draw, count):
    np.testing.assert_array_equal(draw(KEYS[:5], count), draw(KEYS[:5], 9)[:, :count])


@pytest.mark.parametrize("draw", [uniforms, normals])
def test_no_keys_give_no_numbers(draw):
    assert draw(KEYS[:0], 3).shape == (0, 3)


def test_uniforms_are_uniform_over_keys_and_over_positions():
    assert stats.kstest(uniforms(KEYS, 1)[:, 0], "uniform").pvalue > 0.01
    assert stats.kstest(uniforms(KEYS[:1], 4000)[0], "uniform").pvalue > 0.01


def test_normals_are_normal_over_keys_and_over_positions():
    assert stats.kstest(normals(KEYS, 2)[:, 1], "norm").pvalue > 0.01
    assert stats.kstest(normals(KEYS[:1], 4001)[0], "norm").pvalue > 0.01


def test_derived_and_sequential_keys_draw_uniformly_too():
    assert stats.kstest(uniforms(derive(KEYS, 3), 1)[:, 0], "uniform").pvalue > 0.01
    sequential = np.arange(4000, dtype=np.uint64)
    assert stats.kstest(uniforms(sequential, 1)[:, 0], "uniform").pvalue > 0.01


def test_streams_positions_children_and_kinds_are_independent():
    first = uniforms(KEYS, 2)
    columns = [
        first[:, 0],
        first[:, 1],
        uniforms(KEYS, 1, stream=1)[:, 0],
        uniforms(derive(KEYS, 0), 1)[:, 0],
        stats.norm.cdf(normals(KEYS, 2)[:, 0]),
        stats.norm.cdf(normals(KEYS, 2)[:, 1]),
        integers(KEYS, 2**32) / 2**32,
    ]
    correlations = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlations).max() < 4.5 / np.sqrt(len(KEYS))
    for pair in [(0, 1), (0, 2), (0, 3), (0, 4), (4, 5), (0, 6)]:
        grid = np.histogram2d(columns[pair[0]], columns[pair[1]], bins=5, range=[[0, 1]] * 2)[0]
        assert stats.chisquare(grid.ravel()).pvalue > 0.001, pair


def test_integers_are_uniform_below_their_bound():
    counts = np.bincount(integers(KEYS, 7), minlength=7)
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > 0.01


@given(st.integers(1, 2**32))
def test_integers_equal_the_exact_multiply_and_shift(high):
    keys = np.stack([KEYS[:9] & 0xFFFFFFFF, KEYS[:9] >> 32], axis=-1)
    words = philox4x32(np.array([0, 0, 0, 2]), keys)[:, :2].tolist()
    exact = [((top << 32 | low) * high) >> 64 for low, top in words]
    assert integers(KEYS[:9], high).tolist() == exact


def test_each_key_may_have_its_own_bound():
    high = np.arange(1, 101)
    drawn = integers(KEYS[:100], high)
    assert ((0 <= drawn) & (drawn < high)).all()
    assert drawn[0] == 0


@pytest.mark.parametrize("high", [0, 2**32 + 1, np.array([3, -1])])
def test_a_bound_without_choices_is_refused(high):
    with pytest.raises(ValueError, match="Pass the number of choices"):
        integers(KEYS[:2], high)
