"""Figures of fidelity against closed forms and against sets whose answer is known."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from latentloom.model_zoo.metrics.fidelity import (
    frechet_distance,
    kernel_distance,
    neighbourhood_figures,
)

RNG = np.random.default_rng(0)


def gaussian(n, dim=4, loc=0.0, scale=1.0, seed=0):
    return np.random.default_rng(seed).normal(loc, scale, (n, dim))


def with_moments(mean, covariance, n=500):
    """Rows whose sample mean and covariance are exactly these."""
    rows = RNG.normal(size=(n, len(mean)))
    rows -= rows.mean(axis=0)
    whitened = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return whitened @ np.linalg.cholesky(covariance).T + mean


# --- Frechet distance -------------------------------------------------------------------------


def test_frechet_distance_is_the_closed_form_of_two_gaussians():
    a, b = RNG.normal(size=(2, 3, 3))
    covariances = a @ a.T + np.eye(3), b @ b.T + np.eye(3)
    means = np.zeros(3), np.array([1.0, -2.0, 0.5])
    sets = [with_moments(m, c) for m, c in zip(means, covariances, strict=True)]
    cross = np.trace(sqrtm(covariances[0] @ covariances[1]).real)
    expected = np.sum((means[0] - means[1]) ** 2) + sum(map(np.trace, covariances)) - 2 * cross
    assert frechet_distance(*sets) == pytest.approx(expected, rel=1e-8)


def test_frechet_distance_of_a_set_to_itself_is_zero_though_its_covariance_is_singular():
    features = np.repeat(gaussian(50, 2), 3, axis=1)
    assert frechet_distance(features, features) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(features, features + 2.0) == pytest.approx(6 * 4.0, rel=1e-6)


# --- Kernel distance --------------------------------------------------------------------------


def test_kernel_distance_is_the_mean_over_pairs():
    a, b = gaussian(7), gaussian(9, loc=0.5, seed=1)

    def kernel(x, y):
        return (x @ y / 4 + 1) ** 3

    def pairs(x):
        return np.mean([kernel(p, q) for i, p in enumerate(x) for j, q in enumerate(x) if i != j])

    cross = np.mean([kernel(p, q) for p in a for q in b])
    assert kernel_distance(a, b) == pytest.approx(pairs(a) + pairs(b) - 2 * cross)


def test_kernel_distance_is_unbiased():
    same = [kernel_distance(gaussian(40, seed=s), gaussian(40, seed=s + 1000)) for s in range(300)]
    standard_error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 3 * standard_error
    assert min(same) < 0.0
    assert kernel_distance(gaussian(40), gaussian(40, loc=1.0, seed=1)) > 10 * standard_error


# --- Neighbourhoods ---------------------------------------------------------------------------


def test_a_sample_of_the_same_distribution_is_precise_and_complete():
    figures = neighbourhood_figures(gaussian(3000), gaussian(3000, seed=1))
    assert figures["precision"] > 0.9
    assert figures["recall"] > 0.9
    assert figures["coverage"] > 0.9
    assert figures["density"] == pytest.approx(1.0, abs=0.06)


def test_disjoint_sets_have_nothing_in_common():
    figures = neighbourhood_figures(gaussian(100), gaussian(100, loc=100.0))
    assert set(figures.values()) == {0.0}


def test_a_lost_mode_costs_recall_and_coverage_but_no_precision():
    real = np.concatenate([gaussian(500), gaussian(500, loc=50.0, seed=1)])
    figures = neighbourhood_figures(real, gaussian(1000, seed=2))
    assert figures["precision"] > 0.9
    assert figures["recall"] == pytest.approx(0.5, abs=0.06)
    assert figures["coverage"] == pytest.approx(0.5, abs=0.06)


def test_noise_beside_the_real_mode_costs_precision():
    generated = np.concatenate([gaussian(500, seed=2), gaussian(500, loc=50.0, seed=3)])
    figures = neighbourhood_figures(gaussian(1000), generated)
    assert figures["precision"] == pytest.approx(0.5, abs=0.06)
    assert figures["recall"] > 0.9


def test_many_variants_of_an_anchor_do_not_shrink_its_neighbourhood():
    real, anchors = gaussian(1000), gaussian(500, seed=1)
    variants = np.repeat(anchors, 8, axis=0) + gaussian(4000, seed=2) * 1e-3
    alone = neighbourhood_figures(real, anchors)
    groups = np.repeat(np.arange(500), 8)
    order = np.random.default_rng(0).permutation(4000)
    assert neighbourhood_figures(real, variants)["recall"] < 0.2
    found = neighbourhood_figures(real, variants[order], groups=groups[order])
    assert found == pytest.approx(alone, abs=0.02)


def test_too_few_groups_are_refused():
    with pytest.raises(ValueError, match="more anchors"):
        neighbourhood_figures(gaussian(50), gaussian(50), groups=np.repeat(np.arange(5), 10))


def test_blocks_make_no_difference(monkeypatch):
    sets = gaussian(300), gaussian(200, loc=0.5, seed=1)
    whole = neighbourhood_figures(*sets)
    monkeypatch.setattr("latentloom.model_zoo.metrics.fidelity.BLOCK", 7)
    assert neighbourhood_figures(*sets) == whole


@pytest.mark.parametrize(
    "features", [np.zeros((1, 3)), np.zeros(5), np.full((9, 3), np.nan), np.full((9, 3), np.inf)]
)
@pytest.mark.parametrize("figure", [frechet_distance, kernel_distance, neighbourhood_figures])
def test_features_that_cannot_be_compared_are_refused(figure, features):
    with pytest.raises(ValueError, match=r"Expected: finite.*Received: shape="):
        figure(gaussian(20, 3), features)
