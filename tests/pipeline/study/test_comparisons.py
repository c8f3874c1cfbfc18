"""Intervals of means against SciPy, and against what is known to be covered."""

import numpy as np
import pytest
from scipy import stats

from latentloom.pipeline.study.comparisons import estimate, paired_difference


def test_the_interval_is_that_of_student():
    values = [0.91, 0.93, 0.88, 0.95]
    found = estimate(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert found.mean - found.half_width == pytest.approx(low)
    assert found.mean + found.half_width == pytest.approx(high)
    assert found.spread == pytest.approx(np.std(values, ddof=1))


def test_a_difference_is_significant_where_the_paired_test_says_so():
    rng = np.random.default_rng(0)
    for gain in (0.0, 0.01, 0.02, 0.05):
        base = rng.normal(0.8, 0.1, 5)
        arm = base + gain + rng.normal(0, 0.01, 5)
        found = paired_difference(dict(enumerate(arm)), dict(enumerate(base)))
        assert found.excludes_zero == (stats.ttest_rel(arm, base).pvalue < 0.05)


def test_pairing_takes_out_what_both_arms_share():
    base = {0: 0.5, 1: 0.9, 2: 0.7}
    found = paired_difference({seed: value + 0.01 for seed, value in base.items()}, base)
    assert found.mean == pytest.approx(0.01)
    assert found.spread == pytest.approx(0, abs=1e-12)
    assert found.excludes_zero


def test_only_seeds_of_both_arms_are_compared():
    assert paired_difference({0: 1.0, 1: 2.0}, {1: 0.5, 2: 9.0}).mean == 1.5


def test_one_seed_has_no_interval():
    found = estimate([0.5])
    assert (found.mean, found.half_width, found.excludes_zero) == (0.5, None, False)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    trials = [estimate(rng.normal(2.0, 3.0, 5)) for _ in range(4000)]
    covered = np.mean([abs(t.mean - 2.0) <= t.half_width for t in trials])
    assert covered == pytest.approx(0.95, abs=0.012)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to compare"):
        paired_difference({0: 1.0}, {1: 1.0})
