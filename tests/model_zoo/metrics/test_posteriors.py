"""Posteriors as arrays: densities against SciPy, and what is no distribution."""

import numpy as np
import pytest
from scipy import stats

from latentloom.model_zoo.metrics.posteriors import CategoricalPosteriors, GaussianPosteriors


def test_densities_are_those_of_scipy_far_from_the_origin_too():
    rng = np.random.default_rng(0)
    loc, scale = 1e4 + rng.normal(size=(20, 3)), rng.uniform(0.01, 1, (20, 3))
    block = GaussianPosteriors(loc, scale, loc + scale)
    expected = stats.norm.logpdf((loc + scale)[4:9, None], loc, scale).sum(axis=-1)
    np.testing.assert_allclose(block.log_density(slice(4, 9)), expected, rtol=1e-7)
    own = stats.norm.logpdf(loc + scale, loc, scale)
    np.testing.assert_allclose(block.own_log_density, own, rtol=1e-7)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_points_have_no_densities(scale):
    with pytest.raises(ValueError, match="Leave out blocks that are points"):
        GaussianPosteriors(np.zeros((2, 1)), np.array([[1.0], [scale]]), np.zeros((2, 1)))


def test_gaussians_that_do_not_fit_together_are_refused():
    for shape in ((3, 1), (2,), (2, 2)):
        with pytest.raises(ValueError, match="Pass all of one block"):
            GaussianPosteriors(np.zeros((2, 1)), np.ones(shape), np.zeros((2, 1)))


@pytest.mark.parametrize("row", [[-0.5, 1.5], [0.4, 0.4], [np.nan, 1.0]])
def test_numbers_that_are_no_probabilities_are_refused(row):
    with pytest.raises(ValueError, match="Pass probabilities, not their logs"):
        CategoricalPosteriors(np.array([[0.5, 0.5], row]))


def test_rounding_of_probabilities_is_mended():
    found = CategoricalPosteriors(np.full((4, 3), 0.3333, np.float32)).probabilities
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
