"""Which TFP distributions have densities, and what is read of them."""

import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.metrics.posteriors import CategoricalPosteriors, GaussianPosteriors
from latentloom.pipeline.codec.densities import (
    density_columns,
    is_diagonal_gaussian,
    read_posteriors,
    sample_blocks,
)

SEED = np.array([3, 0], np.int32)
LOC, SCALE = np.float32([[0, 1, 2], [3, 4, 5]]), np.float32([[1, 2, 3], [0.1, 0.2, 0.3]])


def independent(scale=SCALE):
    normal = tfd.Normal(ops.convert_to_tensor(LOC), ops.convert_to_tensor(scale))
    return tfd.Independent(normal, reinterpreted_batch_ndims=1)


def diagonal():
    return tfd.MultivariateNormalDiag(ops.convert_to_tensor(LOC), ops.convert_to_tensor(SCALE))


def categorical(**parameters):
    return tfd.OneHotCategorical(**{k: ops.convert_to_tensor(v) for k, v in parameters.items()})


def read(distributions):
    columns = density_columns(distributions, SEED)
    return read_posteriors({name: np.asarray(column) for name, column in columns.items()})


@pytest.mark.parametrize("spelt", [independent, diagonal])
def test_gaussians_are_read_however_they_are_spelt(spelt):
    found = read({"style": spelt()})["style"]
    assert isinstance(found, GaussianPosteriors)
    np.testing.assert_allclose(found.loc, LOC)
    np.testing.assert_allclose(found.scale, SCALE)
    np.testing.assert_array_equal(found.codes, sample_blocks({"style": spelt()}, SEED)["style"])


def test_categorical_values_are_read_from_logits_and_from_probabilities():
    told = np.float32([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]])
    with np.errstate(divide="ignore"):
        logits = np.log(told)
    for block in (categorical(probs=told), categorical(logits=logits)):
        found = read({"digit": block})["digit"]
        assert isinstance(found, CategoricalPosteriors)
        np.testing.assert_allclose(found.probabilities, told, atol=1e-6)


def test_points_have_no_densities_and_neither_has_a_gaussian_without_scale():
    blocks = {
        "zs": tfd.VectorDeterministic(ops.convert_to_tensor(LOC)),
        "zu": independent(),
        "narrow": independent(np.where(SCALE == 2, 0, SCALE)),
        "lost": independent(np.where(SCALE == 2, np.nan, SCALE)),
    }
    assert list(read(blocks)) == ["zu"]
    assert read({"zs": blocks["zs"]}) == {}


def test_other_distributions_are_no_diagonal_gaussians():
    zeros, ones = ops.zeros((3,)), ops.ones((3,))
    laplace = tfd.Independent(tfd.Laplace(zeros, ones), reinterpreted_batch_ndims=1)
    assert not is_diagonal_gaussian(laplace)
    assert not is_diagonal_gaussian(tfd.MultivariateNormalTriL(zeros, ops.eye(3)))
