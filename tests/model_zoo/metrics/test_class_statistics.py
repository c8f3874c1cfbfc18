"""Means, Gaussians and neighbours of classes, against plain references."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from latentloom.model_zoo.metrics.class_gaussians import ClassGaussians
from latentloom.model_zoo.metrics.class_means import PRIOR_EXAMPLES, residuals, shrunk_means
from latentloom.model_zoo.metrics.class_neighbours import LEAST, log_distances


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_class_without_examples_has_the_mean_of_all():
    means = shrunk_means(np.array([1.0, 3.0]), np.array([0, 0]), 2)
    assert means.tolist() == [2.0, 2.0]


def test_a_large_class_has_its_own_mean(rng):
    labels = np.repeat([0, 1], [5000, 5])
    means = shrunk_means(rng.normal(size=(5005, 2)) + 10 * labels[:, None], labels, 2)
    assert means[0] == pytest.approx(0, abs=0.1)
    assert 5 < means[1, 0] < 10


def test_a_residual_leaves_its_own_value_out():
    values, labels = np.array([1.0, 5.0, 9.0]), np.array([0, 0, 1])
    others = (5.0 + PRIOR_EXAMPLES * values.mean()) / (1 + PRIOR_EXAMPLES)
    assert residuals(values, labels, 2)[0] == pytest.approx(1.0 - others)


def test_density_is_that_of_scipy(rng):
    codes = rng.normal(size=(3000, 4)) @ rng.normal(size=(4, 4))
    labels = rng.integers(0, 3, 3000)
    fitted = ClassGaussians.fit(codes, labels, 3)
    whitening = fitted.whitening.astype(np.float64)
    covariance = np.linalg.inv(whitening @ whitening.T)
    own = [
        multivariate_normal(fitted.means[c], covariance).logpdf(x)
        for x, c in zip(codes[:9], labels[:9], strict=True)
    ]
    assert fitted.log_density(codes[:9], labels[:9]) == pytest.approx(own, rel=1e-4)
    assert covariance == pytest.approx(np.cov(codes.T), rel=0.05, abs=0.1)


def test_an_axis_that_does_not_vary_leaves_the_density_finite(rng):
    codes = np.column_stack([rng.normal(size=50), np.zeros(50)])
    fitted = ClassGaussians.fit(codes, np.zeros(50, np.int64), 1)
    assert np.isfinite(fitted.log_density(codes, np.zeros(50, np.int64))).all()


def test_the_nearest_example_of_the_class_counts(rng):
    rows, references = rng.normal(size=(20, 5)), rng.normal(size=(30, 5))
    labels, own = rng.integers(0, 3, 20), np.arange(30) % 3
    expected = [
        np.linalg.norm(references[own == c] - x, axis=1).min()
        for x, c in zip(rows, labels, strict=True)
    ]
    found = log_distances(rows, labels, references, own)
    spread = np.sqrt(np.square(references - references.mean(axis=0)).sum(axis=1).mean())
    assert np.exp(found) - LEAST == pytest.approx(np.array(expected) / spread)
    assert log_distances(rows, np.full(20, 7), references, own).tolist() == [np.inf] * 20
    assert log_distances(references[:1], own[:1], references, own) == pytest.approx(np.log(LEAST))
