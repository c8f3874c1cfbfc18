"""Folds are apart where they must be, and follow the ids."""

import numpy as np
import pytest

from pipeline.examples import Examples
from pipeline.folds import divide


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


def test_an_empty_fold_is_refused():
    with pytest.raises(ValueError, match="Give more of them"):
        divide(some_examples(2), 0.01, 0)
