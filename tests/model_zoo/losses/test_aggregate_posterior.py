"""Unbiasedness of the estimates of the aggregate posterior, and the weights they are made of."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import logsumexp

from latentloom.model_zoo.losses.aggregate_posterior import (
    gaussian_log_density,
    log_aggregate,
    stratified_log_weights,
    uniform_log_weights,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensor(array):
    return ops.convert_to_tensor(np.asarray(array, np.float32))


def ones(size):
    return ops.ones((size,))


@pytest.mark.parametrize("num_examples", [40, 4000])
def test_the_stratified_density_is_unbiased_and_its_log_too_low(rng, num_examples):
    loc, scale = rng.normal(size=40), rng.uniform(0.5, 1.0, 40)
    densities = stats.norm.pdf(loc[0] + 0.3, loc, scale)
    log_weights = np.asarray(stratified_log_weights(ones(6), num_examples))[0]
    rows = [[0, *(1 + rng.choice(39, 5, replace=False))] for _ in range(4000)]
    found = densities[rows] @ np.exp(log_weights)
    truth = densities[0] / num_examples + (1 - 1 / num_examples) * densities[1:].mean()
    assert abs(found.mean() - truth) < 3 * found.std() / np.sqrt(len(found))
    bias = np.log(found).mean() - np.log(found.mean())
    assert bias == pytest.approx(-found.var() / (2 * truth**2), rel=0.3)
    assert bias < -0.01


def test_a_weight_of_two_is_two_examples(rng):
    pairwise = rng.normal(size=(4, 4)).astype(np.float32)
    weights = np.array([1.0, 1.0, 2.0, 3.0])
    found = log_aggregate(tensor(pairwise), stratified_log_weights(tensor(weights)))
    repeated = np.repeat(pairwise[0, 1:], [1, 2, 3])
    assert float(found[0]) == pytest.approx(logsumexp(repeated) - np.log(6), abs=1e-5)


def test_class_weights_change_nothing_in_a_balanced_batch():
    class_sizes = np.array([500.0, 500.0])
    balanced = tensor(class_sizes[np.arange(8) % 2])
    for estimator in (stratified_log_weights, uniform_log_weights):
        np.testing.assert_allclose(estimator(balanced, 1000), estimator(ones(8), 1000), rtol=1e-6)


def test_class_weights_undo_class_balanced_draws(rng):
    """Nine of ten examples lie about -2, but half of the batch."""
    rare = np.arange(600) % 2
    loc = np.where(rare, 2.0, -2.0)[:, None] + 0.5 * rng.normal(size=(600, 1))
    pairwise = gaussian_log_density(
        tensor(np.zeros((600, 1)) - 2), tensor(loc), ops.zeros((600, 1))
    )[0]
    weights = tensor(np.where(rare, 100, 900))
    density = np.exp(log_aggregate(pairwise, stratified_log_weights(weights, 1000)))
    scale = np.sqrt(1.25)
    expected = 0.9 * stats.norm.pdf(0, 0, scale) + 0.1 * stats.norm.pdf(4, 0, scale)
    np.testing.assert_allclose(density, expected, rtol=0.05)


def test_every_row_of_weights_sums_to_one(rng):
    weights = tensor(rng.uniform(0.2, 5, 7))
    for num_examples in (7, 100, np.inf):
        rows = np.exp(stratified_log_weights(weights, num_examples)).sum(axis=1)
        np.testing.assert_allclose(rows, 1.0, rtol=1e-5)


def test_uniform_weights_are_off_by_the_number_of_examples():
    even = np.asarray(uniform_log_weights(ones(6), 500))
    np.testing.assert_allclose(even, -np.log(6 * 500), rtol=1e-6)
    uneven = np.asarray(uniform_log_weights(tensor([1.0, 3.0]), 500))
    np.testing.assert_allclose(np.exp(uneven), [[0.0005, 0.0015]] * 2, rtol=1e-5)


@pytest.mark.parametrize("distance", [0.0, 30.0])
def test_gradients_are_those_of_the_densities_written_out(rng, gradients_of, distance):
    """Those of the package are products of matrices, written by hand."""
    values = rng.normal(size=(3, 12, 2)) + [[[distance]], [[distance]], [[-1.0]]]
    codes, loc, log_variance = (keras.Variable(np.float32(each)) for each in values)
    given = tensor(rng.normal(size=(2, 12)))

    def written_out():
        apart = codes.value[:, None] - loc.value[None]
        log_density = normal_log_density(apart, log_variance.value[None])
        return [ops.logsumexp(log_density[..., d], axis=1) for d in range(2)]

    def by_hand():
        pairwise = gaussian_log_density(codes.value, loc.value, log_variance.value)
        return [log_aggregate(each, ops.zeros((12, 12))) for each in pairwise]

    wanted, found = (
        gradients_of(lambda f=f: ops.sum(given * ops.stack(f())), [codes, loc, log_variance])
        for f in (written_out, by_hand)
    )
    for one, other in zip(wanted, found, strict=True):
        assert np.abs(one).max() > 0.1
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5 * np.abs(one).max())


def normal_log_density(apart, log_variance):
    squares = ops.square(apart) * ops.exp(-log_variance)
    return -0.5 * (squares + log_variance + math.log(2 * math.pi))
