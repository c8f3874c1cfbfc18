"""Dependence of two categories, against SciPy, explicit permutations and known tables."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from latentloom.model_zoo.metrics.association import (
    contingency_table,
    cramers_v,
    holm,
    largest_correlation,
    mutual_information,
    permutation_p_value,
)


def drawn(count, share, values=10, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % values
    others = (labels + rng.integers(1, values, count)) % values
    codes = np.where(rng.random(count) < share, labels, others)
    return contingency_table(labels, codes, (values, values))


def test_the_corrected_v_is_bergsmas():
    table = drawn(300, 0.3)
    count, chi2 = table.sum(), chi2_contingency(table).statistic
    phi2, corrected = chi2 / count - 81 / (count - 1), 10 - 81 / (count - 1)
    assert cramers_v(table) == pytest.approx(np.sqrt(phi2 / (corrected - 1)))


def test_of_many_examples_it_is_the_plain_v():
    table = drawn(100_000, 0.6)
    assert cramers_v(table) == pytest.approx(association(table), abs=1e-3)


def test_it_is_near_zero_without_dependence_and_one_for_a_function():
    untied = [cramers_v(drawn(300, 0.1, seed=seed)) for seed in range(30)]
    assert np.mean(untied) < 0.04
    assert cramers_v(np.diag([3, 40, 7])) == pytest.approx(1, abs=1e-6)
    assert cramers_v(np.array([[5, 7], [0, 0]])) == 0


@pytest.mark.parametrize("share", [0.9, 0.95])
def test_a_tie_has_its_share_as_strength(share):
    expected = share - (1 - share) / 9
    assert cramers_v(drawn(20_000, share)) == pytest.approx(expected, abs=0.02)


def test_one_class_that_stands_out_has_the_largest_correlation_of_one():
    table = np.ones((10, 2), int) * [0, 30]
    table[3] = [30, 0]
    assert largest_correlation(table) == pytest.approx(1)
    even = np.full((10, 4), 10)
    assert largest_correlation(even) == pytest.approx(0, abs=1e-9)


def test_mutual_information_is_the_entropy_of_a_function():
    assert mutual_information(np.diag([5, 5])) == pytest.approx(np.log(2))
    assert mutual_information(np.full((3, 3), 4)) == pytest.approx(0, abs=1e-12)


def test_p_values_are_those_of_permuted_labels():
    table = drawn(120, 0.45, values=3, seed=1)
    labels = np.repeat(np.arange(3), table.sum(axis=1))
    codes = np.concatenate([np.repeat(np.arange(3), row) for row in table])
    rng, observed = np.random.default_rng(0), chi2_contingency(table).statistic
    reached = [
        chi2_contingency(contingency_table(rng.permutation(labels), codes, (3, 3))).statistic
        >= observed - 1e-9
        for _ in range(1000)
    ]
    assert permutation_p_value(table, 1999, 0) == pytest.approx(np.mean(reached), abs=0.03)


def test_p_values_are_uniform_without_dependence():
    values = [permutation_p_value(drawn(200, 0.1, seed=s), 199, s) for s in range(200)]
    assert np.mean(np.array(values) <= 0.05) < 0.1
    assert 0.4 < np.mean(values) < 0.6
    assert min(values) >= 1 / 200


def test_holm_corrects_step_by_step():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
