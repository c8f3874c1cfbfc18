import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentloom.augment import (
    STRATEGIES,
    identity_keys,
    share_out,
    variants_per_anchor,
    variants_per_class,
)

COUNTS = {"cat": 5, "dog": 2, "emu": 3}


def test_without_a_strategy_every_example_gets_the_same_number():
    assert variants_per_class(None, COUNTS, 3) == {"cat": 15, "dog": 6, "emu": 9}


def test_auto_brings_every_class_up_to_the_largest():
    assert variants_per_class("auto", COUNTS, 3) == {"cat": 0, "dog": 3, "emu": 2}


def test_minority_brings_only_the_smallest_class_up():
    assert variants_per_class("minority", COUNTS, 3) == {"cat": 0, "dog": 3, "emu": 0}


def test_of_several_smallest_classes_minority_takes_the_first():
    assert variants_per_class("minority", {"a": 4, "b": 1, "c": 1}, 0) == {"a": 0, "b": 3, "c": 0}


def test_a_mapping_gives_exactly_its_numbers():
    assert variants_per_class({"emu": 7}, COUNTS, 3) == {"cat": 0, "dog": 0, "emu": 7}


def test_zero_variants_are_fine():
    assert variants_per_class(None, COUNTS, 0) == dict.fromkeys(COUNTS, 0)
    assert variants_per_class({}, COUNTS, 9) == dict.fromkeys(COUNTS, 0)


def test_an_empty_class_without_a_quota_is_fine():
    assert variants_per_class(None, {"cat": 2, "dog": 0}, 1) == {"cat": 2, "dog": 0}
    assert variants_per_class("auto", {"cat": 0}, 1) == {"cat": 0}


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 99), min_size=1))
def test_auto_balances_all_classes_exactly(counts):
    quotas = variants_per_class("auto", counts, 0)
    assert {counts[name] + quotas[name] for name in counts} == {max(counts.values())}


@pytest.mark.parametrize("strategy", ["auto", "minority", {"dog": 1}])
def test_an_empty_class_cannot_meet_a_quota(strategy):
    with pytest.raises(
        ValueError, match="Class 'dog' has a quota but no example.*set its quota to 0"
    ):
        variants_per_class(strategy, {"cat": 2, "dog": 0}, 1)


def test_an_unknown_class_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'dog'"):
        variants_per_class({"dgo": 1}, COUNTS, 0)


def test_an_unknown_strategy_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'minority'"):
        variants_per_class("minorty", COUNTS, 0)


@pytest.mark.parametrize(
    ("strategy", "counts", "number"),
    [(None, COUNTS, -1), ({"cat": -1}, COUNTS, 0), ({"cat": 1.5}, COUNTS, 0), (None, {"a": -1}, 0)],
)
def test_numbers_below_zero_or_with_fractions_are_refused(strategy, counts, number):
    with pytest.raises(ValueError, match="Pass 0 for none"):
        variants_per_class(strategy, counts, number)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_shares_sum_exactly_and_stay_within_one_of_proportion(total, counts):
    shares = share_out(total, counts)
    assert sum(shares) == total
    for share, count in zip(shares, counts, strict=True):
        assert abs(share * sum(counts) - total * count) <= sum(counts)
        assert share >= 0
        assert count > 0 or share == 0


def test_cumulative_shares_are_rounded_to_the_nearest():
    assert share_out(2, [1, 1, 1]) == [1, 0, 1]


def test_nothing_is_shared_out_as_zeros():
    assert share_out(0, [0, 0]) == [0, 0]
    assert share_out(0, []) == []


@pytest.mark.parametrize("counts", [[], [0, 0]])
def test_a_quota_without_an_example_cannot_be_shared_out(counts):
    with pytest.raises(ValueError, match="set its quota to 0"):
        share_out(3, counts)


@pytest.mark.parametrize(("total", "counts"), [(-1, [1]), (1, [2, -1])])
def test_negative_shares_are_refused(total, counts):
    with pytest.raises(ValueError, match="Pass 0 for none"):
        share_out(total, counts)


@given(st.integers(0, 1000), st.integers(1, 50), st.randoms())
def test_anchors_split_a_quota_evenly_and_in_any_order(total, num_anchors, random):
    keys = identity_keys(0, "quota", [str(row) for row in range(num_anchors)])
    variants = variants_per_anchor(total, keys)
    assert variants.sum() == total
    assert variants.max() - variants.min() <= 1
    order = np.array(random.sample(range(num_anchors), num_anchors))
    np.testing.assert_array_equal(variants_per_anchor(total, keys[order]), variants[order])


def test_the_remainder_goes_to_the_smallest_keys():
    keys = np.array([30, 10, 20], np.uint64)
    assert variants_per_anchor(5, keys).tolist() == [1, 2, 2]


def test_no_anchors_take_no_variants():
    assert variants_per_anchor(0, np.array([], np.uint64)).tolist() == []
    with pytest.raises(ValueError, match="set its quota to 0"):
        variants_per_anchor(1, np.array([], np.uint64))


CLASSES = {"ant": 5, "bee": 9, "cat": 9, "dog": 3, "eel": 3}
FILLED = {
    "auto": {"ant": 4, "dog": 6, "eel": 6},
    "minority": {"dog": 6},
    "not minority": {"ant": 4, "eel": 6},
    "not majority": {"ant": 4, "dog": 6, "eel": 6},
    "all": {"ant": 4, "dog": 6, "eel": 6},
}
"""What `RandomOverSampler(sampling_strategy=..., random_state=0)` of imbalanced-learn 0.14.2 adds
to so many examples of each class, in their order."""


@pytest.mark.parametrize("strategy", FILLED)
def test_a_word_means_what_it_means_in_imbalanced_learn(strategy):
    quotas = variants_per_class(strategy, CLASSES, 0)
    assert {name: quota for name, quota in quotas.items() if quota} == FILLED[strategy]


def test_every_word_is_compared_with_imbalanced_learn():
    assert tuple(FILLED) == STRATEGIES


def test_totals_count_what_is_there_as_in_imbalanced_learn():
    quotas = variants_per_class({"total": {"ant": 9, "dog": 3}}, CLASSES, 7)
    assert quotas == {"ant": 4, "bee": 0, "cat": 0, "dog": 0, "eel": 0}


def test_new_ones_are_counted_alone_as_by_the_deprecated_form():
    quotas = variants_per_class({"new": {"ant": 9, "dog": 3}}, CLASSES, 7)
    assert quotas == {"ant": 9, "bee": 0, "cat": 0, "dog": 3, "eel": 0}
    assert quotas == variants_per_class({"ant": 9, "dog": 3}, CLASSES, 7)


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({"total": {"ant": 4}}, "at least 5. Received: total=4 for 'ant'. Raise it"),
        ({"total": {"ant": 5}, "new": {"ant": 5}}, "in two ways.*Convert one"),
        ({"new": {"dgo": 3}}, "unknown class.*Did you mean 'dog'"),
        ({"total": {"dog": -1}}, "whole numbers"),
        ("majority", "unknown strategy"),
    ],
)
def test_a_strategy_that_cannot_be_met_is_refused(strategy, message):
    with pytest.raises(ValueError, match=message):
        variants_per_class(strategy, CLASSES, 0)


@pytest.mark.parametrize("strategy", [{"total": 3}, {"new": 2, "total": 1}])
def test_classes_may_have_the_names_of_the_forms(strategy):
    assert (
        variants_per_class(strategy, {"new": 4, "total": 4}, 0) == {"new": 0, "total": 0} | strategy
    )
