"""Folds are apart where they must be, and follow the ids."""

from dataclasses import replace

import numpy as np
import pytest

from latentloom.augment import identity_keys, uniforms
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.folds import check_counts, check_folds, divide


def some_examples(count: int) -> Examples:
    ids = [f"x/train/{index:08d}" for index in range(count)]
    labels = np.arange(count) % 3
    return Examples(np.zeros((count, 8, 8, 1), np.uint8), {"label": labels}, ids)


def test_judge_and_auditor_share_no_example_and_training_none_with_validation():
    folds = divide(some_examples(1000), 0.1, seed=0)
    assert not set(folds.judge.ids) & set(folds.auditor.ids)
    assert not set(folds.train.ids) & set(folds.validation.ids)
    assert len(folds.judge) + len(folds.auditor) == 1000
    assert len(folds.train) + len(folds.validation) == 1000
    assert 60 < len(folds.validation) < 140
    assert 420 < len(folds.judge) < 580


def test_folds_follow_the_ids_not_the_order():
    examples = some_examples(200)
    mixed = examples.take(np.random.default_rng(0).permutation(200))
    assert set(divide(mixed, 0.1, 0).judge.ids) == set(divide(examples, 0.1, 0).judge.ids)
    assert set(divide(examples, 0.1, 1).judge.ids) != set(divide(examples, 0.1, 0).judge.ids)


def test_validation_examples_of_the_data_take_the_place_of_a_share():
    examples, brought = some_examples(30), some_examples(6)
    folds, divided = divide(examples, 0.1, 0, brought), divide(examples, 0.1, 0)
    assert folds.train is examples
    assert folds.validation is brought
    assert folds.judge.ids == divided.judge.ids
    assert folds.auditor.ids == divided.auditor.ids


@pytest.mark.parametrize("counts", [(2, 2), (2, 500), (3, 1000, 4)])
def test_every_class_is_in_every_fold_but_validation(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    ids = [f"x/train/{index:08d}" for index in range(len(labels))]
    examples = Examples(np.zeros((len(ids), 8, 8, 1), np.uint8), {"label": labels}, ids)
    for seed in range(5):
        folds = divide(examples, 0.1, seed)
        for fold in (folds.train, folds.judge, folds.auditor):
            assert set(fold.labels) == set(labels)
        assert len(folds.validation) >= 1


def of_counts(*counts: int) -> Examples:
    labels = np.repeat(np.arange(len(counts)), counts)
    ids = [f"x/train/{index:08d}" for index in range(len(labels))]
    return Examples(np.zeros((len(ids), 8, 8, 1), np.uint8), {"label": labels}, ids)


def test_a_class_of_4_to_19_spares_one_for_validation_and_keeps_three_quarters():
    for seed in range(3):
        folds = divide(of_counts(2, 3, 4, 5, 12, 19, 20, 45), 0.05, seed)
        assert np.bincount(folds.validation.labels, minlength=8).tolist() == [0, 0, *[1] * 5, 2]
        assert np.bincount(folds.train.labels).tolist() == [2, 3, 3, 4, 11, 18, 19, 43]
        assert np.bincount(folds.judge.labels).tolist() == [1, 2, 2, 3, 6, 10, 10, 23]


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("counts", [(20, 20), (25, 20, 400), (100, 60, 39, 21)])
def test_classes_of_20_or_more_are_divided_as_ever(counts, share):
    examples = of_counts(*counts)
    draws = uniforms(identity_keys(3, "fold", examples.ids), 2)[:, 0]
    ids, chosen = np.array(examples.ids), set()
    for label, count in enumerate(counts):
        rows = np.flatnonzero(examples.labels == label)
        size = max(int(share * count + 1e-9), int(label == np.argmax(counts)))
        chosen |= set(ids[rows[np.argsort(draws[rows])[:size]]])
    assert set(divide(examples, share, 3).validation.ids) == chosen


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"has one class. Expected: at least two.*\['cat'\]"):
        check_counts([9], ["cat"], "data set 'pets'")


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_with_too_few_examples_is_refused_by_name(count):
    with pytest.raises(ValueError, match=f"Class 'dog' of data set 'pets'.*Received: {count} of"):
        check_counts([9, count], ["cat", "dog"], "data set 'pets'")


def test_labels_without_a_name_are_refused_with_their_example():
    examples = some_examples(30)
    with_gap = replace(examples, factors={"label": np.array([0, 2, 5])[examples.labels]})
    with pytest.raises(ValueError, match=r"labels 0 to 2.*Received: label=5.*without gaps"):
        check_folds(divide(with_gap, 0.1, 0), "abc")


def test_a_name_without_examples_is_refused():
    folds = divide(some_examples(30), 0.1, 0)
    check_folds(folds, "abc")
    with pytest.raises(ValueError, match="Class 'd' is not in the fold 'train'"):
        check_folds(folds, "abcd")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["train", "validation", "judge", "auditor"])
def test_an_image_that_is_not_finite_is_named(name, value):
    folds = divide(some_examples(30), 0.1, 0)
    images = getattr(folds, name).observations.astype(np.float32)
    images[-1, 3, 3] = value
    bad = replace(getattr(folds, name), observations=images)
    with pytest.raises(ValueError, match=f"'{bad.ids[-1]}' of the fold '{name}' is not finite"):
        check_folds(replace(folds, **{name: bad}), "abc")
