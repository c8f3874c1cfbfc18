"""Linear reading of codes with known answers, and ratios of figures."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.transfer import linear_residuals, ratio


def codes(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 4))


def test_a_value_that_is_linear_in_the_code_is_read_beyond_what_was_fitted():
    weights, train, far = np.array([2.0, -1.0, 0.0, 5.0]), codes(4000, 0), 4 + codes(100, 1)
    found = linear_residuals(train, train @ weights + 7, far, far @ weights + 7)
    assert np.abs(found).max() < 0.02


def test_a_value_that_the_code_does_not_tell_is_missed_by_its_spread():
    noise = np.random.default_rng(2)
    found = linear_residuals(
        codes(4000, 0), noise.normal(3, 2, 4000), codes(2000, 1), noise.normal(3, 2, 2000)
    )
    assert np.sqrt(np.mean(found**2)) == pytest.approx(2, rel=0.05)


def test_a_residual_is_what_was_read_less_what_is():
    train = codes(2000, 0)
    found = linear_residuals(train, train[:, 0], codes(50, 1), codes(50, 1)[:, 0] + 3)
    np.testing.assert_allclose(found, -3, atol=0.01)


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [(3.0, 2.0, 1.5), (0.0, 0.0, 1.0), (1.0, 0.0, None), (None, 2.0, None), (2.0, None, None)],
)
def test_a_ratio_is_1_for_equal_figures_and_none_where_nothing_divides(value, reference, expected):
    assert ratio(value, reference) == expected
