"""DCI against entropies by hand and against codes whose structure is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import entropy

from latentloom.model_zoo.metrics.disentanglement.dci import (
    REGRESSORS,
    completeness,
    dci,
    disentanglement,
)

IMPORTANCES = st.tuples(st.integers(2, 5), st.integers(2, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0.01, 100))
)


def binary_entropy(share):
    return -share * np.log2(share) - (1 - share) * np.log2(1 - share)


# --- Entropies of an importance matrix --------------------------------------------------------


def test_the_scores_are_the_entropies_of_shares():
    importance = np.array([[3.0, 1.0], [0.0, 4.0]])
    rows = 1 - binary_entropy(0.25), 1.0  # of equal weight: each row has half of all importance
    assert disentanglement(importance) == pytest.approx(np.mean(rows))
    columns = 1.0, 1 - binary_entropy(0.2)
    assert completeness(importance) == pytest.approx(np.mean(columns))


def test_dimensions_weigh_by_their_share_of_importance_and_factors_alike():
    importance = np.array([[1.0, 1.0], [0.0, 6.0]])
    assert disentanglement(importance) == pytest.approx(0.25 * 0 + 0.75 * 1)
    assert completeness(importance) == pytest.approx((1 + 1 - binary_entropy(1 / 7)) / 2)


def test_the_base_is_the_number_of_factors_or_dimensions():
    even = np.ones((3, 5))
    assert disentanglement(even) == pytest.approx(0)
    assert completeness(even) == pytest.approx(0)
    two_of_four = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1]])
    assert disentanglement(two_of_four) == pytest.approx(0.5)
    assert completeness(two_of_four) == pytest.approx(1)


@pytest.mark.parametrize("score", [disentanglement, completeness])
def test_unused_dimensions_and_factors_that_nothing_tells_do_not_count(score):
    importance = np.diag([1.0, 2.0, 0.0])
    assert score(importance) == pytest.approx(1)
    assert score(np.zeros((3, 2))) == 0


@settings(deadline=None)
@given(IMPORTANCES)
def test_the_scores_agree_with_scipy(importance):
    per_dimension = 1 - entropy(importance, axis=1, base=importance.shape[1])
    weights = importance.sum(axis=1) / importance.sum()
    assert disentanglement(importance) == pytest.approx(per_dimension @ weights, abs=1e-9)
    per_factor = 1 - entropy(importance, axis=0, base=importance.shape[0])
    assert completeness(importance) == pytest.approx(per_factor.mean(), abs=1e-9)


@settings(deadline=None)
@given(IMPORTANCES, st.randoms(use_true_random=False), st.floats(0.001, 1000))
def test_order_and_scale_of_importances_make_no_difference(importance, random, scale):
    rows, columns = (random.sample(range(n), n) for n in importance.shape)
    changed = scale * importance[rows][:, columns]
    for score in (disentanglement, completeness):
        assert score(changed) == pytest.approx(score(importance), abs=1e-9)


# --- Codes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_a_dimension_a_factor_is_perfect(regressor, five_values, perfect):
    found = dci(perfect(five_values), five_values, regressor)
    assert found.disentanglement > 0.98
    assert found.completeness > 0.98
    assert found.informativeness_error < 0.05
    np.testing.assert_array_equal(np.argmax(found.importance, axis=0), range(4))


@pytest.mark.parametrize(("regressor", "most"), [("lasso", 0.4), ("forest", 0.6)])
def test_a_rotation_entangles_but_informs(regressor, most, five_values, rotated):
    found = dci(rotated(five_values), five_values, regressor)
    assert found.disentanglement < most
    assert found.completeness < most
    assert found.informativeness_error < 0.4


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_factors_that_are_spread_evenly_have_neither(regressor, five_values, evenly_mixed):
    found = dci(evenly_mixed(five_values), five_values, regressor)
    assert found.disentanglement < 0.05
    assert found.completeness < 0.05


def test_noise_has_the_error_of_the_mean(five_values, noise):
    forest, lasso = (dci(noise, five_values, regressor) for regressor in REGRESSORS)
    assert forest.informativeness_error > 0.95
    assert forest.disentanglement < 0.2
    assert forest.completeness < 0.2
    assert lasso.informativeness_error > 0.95  # the rest means nothing: a few stray coefficients


def test_two_dimensions_a_factor_cost_completeness_alone(five_values, doubled):
    found = dci(doubled(five_values), five_values)
    assert found.disentanglement > 0.95
    assert found.completeness < 0.85
    assert found.informativeness_error < 0.05


def test_one_dimension_for_two_factors_costs_disentanglement_alone(two_values):
    pairs = two_values[:, ::2] + 2 * two_values[:, 1::2]
    found = dci(pairs.astype(float), two_values)
    assert found.disentanglement == pytest.approx(0.5, abs=0.01)  # two of four factors
    assert found.completeness > 0.95


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_scale_and_offset_of_dimensions_make_no_difference(regressor, five_values, rotated):
    codes = rotated(five_values)
    scaled = codes * [1e-3, 1, 7, 1e4] + [5, -3, 0, 1e3]
    found, same = (dci(c, five_values, regressor) for c in (codes, scaled))
    np.testing.assert_allclose(found.importance, same.importance, atol=0.02)
    assert found.informativeness_error == pytest.approx(same.informativeness_error, abs=0.01)


@pytest.mark.parametrize("regressor", REGRESSORS)
def test_dimensions_may_come_in_any_order(regressor, five_values, rotated):
    codes, order = rotated(five_values), [2, 0, 3, 1]
    found, same = (dci(c, five_values, regressor) for c in (codes, codes[:, order]))
    np.testing.assert_allclose(found.importance[order], same.importance, atol=0.1)
    assert found.disentanglement == pytest.approx(same.disentanglement, abs=0.05)


def test_the_lasso_is_that_of_a_soft_threshold(two_values, perfect):
    found = dci(perfect(two_values), two_values, "lasso")
    # of orthogonal inputs: the correlation, less alpha
    np.testing.assert_allclose(np.diag(found.importance), 1 - 0.02, atol=0.01)


def test_a_dimension_that_is_constant_is_of_no_use(two_values, perfect):
    codes = np.c_[perfect(two_values), np.full(2000, 0.1)]
    for regressor in REGRESSORS:
        found = dci(codes, two_values, regressor)
        assert found.disentanglement > 0.98
        np.testing.assert_array_equal(found.importance[-1], 0)


def test_no_dimension_is_of_less_than_no_use(five_values, perfect):
    codes = perfect(five_values[:400])
    idle = np.random.default_rng(6).normal(size=(400, 6))  # rounding makes some worth -1e-17
    for seed in range(10):
        assert (dci(np.c_[codes, idle], five_values[:400], seed=seed).importance >= 0).all()


def test_dimensions_that_are_nearly_one_need_no_warning(five_values, rotated):
    codes, generator = rotated(five_values), np.random.default_rng(7)
    alike = codes[:, :1] + 0.1 * codes @ generator.normal(size=(4, 40))
    alike += 0.1 * generator.normal(size=alike.shape)
    assert dci(alike, five_values, "lasso").informativeness_error < 1


def test_the_seed_decides(five_values, rotated):
    codes = rotated(five_values)[:500]
    first, again, other = (dci(codes, five_values[:500], seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.importance, again.importance)
    assert first.informativeness_error == again.informativeness_error
    assert first.informativeness_error != other.informativeness_error


def test_twenty_examples_are_enough_and_a_few_less_are_not(five_values, perfect):
    codes = perfect(five_values)
    assert np.isfinite(dci(codes[:20], five_values[:20]).informativeness_error)
    with pytest.raises(ValueError, match=r"Expected: 20 examples or more. Received: 19"):
        dci(codes[:19], five_values[:19])


def test_an_unknown_regressor_is_refused(noise, two_values):
    with pytest.raises(ValueError, match="one of forest, lasso.*regressor='boosted'"):
        dci(noise, two_values, "boosted")
