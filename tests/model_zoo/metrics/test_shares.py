"""Intervals of shares and balanced accuracies against values computed by hand."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.shares import balanced_accuracy, wilson_interval


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (1, 1, 0.2065, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_that_of_wilson(hits, count, low, high):
    assert wilson_interval(hits / count, count) == pytest.approx((low, high), abs=5e-5)


def test_it_covers_the_true_share_about_as_often_as_it_promises():
    rng = np.random.default_rng(0)
    shares = rng.binomial(24, 0.8, 4000) / 24
    inside = [low <= 0.8 <= high for low, high in (wilson_interval(s, 24) for s in shares)]
    assert 0.92 < np.mean(inside) < 0.98


def test_guessing_the_largest_class_is_no_balanced_accuracy():
    classes = np.repeat([0, 1, 2], [30, 7, 3])
    assert balanced_accuracy(classes == 0, classes) == pytest.approx(1 / 3)
    assert balanced_accuracy(classes != 2, classes) == pytest.approx(2 / 3)


def test_equal_classes_need_none():
    assert balanced_accuracy(np.ones(6, bool), np.repeat([0, 1], 3)) is None
    assert balanced_accuracy(np.ones(6, bool), np.zeros(6, int)) is None
