"""Identities, closed forms and unbiasedness of the terms of the KL divergence."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import logsumexp

from latentloom.model_zoo.losses.aggregate_posterior import (
    categorical_log_density,
    gaussian_log_density,
    stratified_log_weights,
)
from latentloom.model_zoo.losses.divergences import (
    BlockDensities,
    class_total_correlation,
    kl_terms,
    total_correlation,
)

DIMS = {"shape": 2, "style": 3}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensor(array):
    return ops.convert_to_tensor(np.asarray(array, np.float32))


def pairwise_of(codes, loc, log_variance):
    return gaussian_log_density(tensor(codes), tensor(loc), tensor(log_variance))


def standard_normal(codes):
    return tensor(stats.norm.logpdf(codes))


def draw(rng, size, dims):
    """Posteriors and a sample of each, `(size, dims)`."""
    loc, log_variance = rng.normal(size=(size, dims)), rng.uniform(-3, 0, (size, dims))
    return loc + np.exp(log_variance / 2) * rng.normal(size=(size, dims)), loc, log_variance


def gaussian_blocks(rng, size=12):
    """Blocks of Gaussians, and the sampled KL divergence of each example from the prior."""
    blocks, divergence = {}, 0.0
    for name, dim in DIMS.items():
        codes, loc, log_variance = draw(rng, size, dim)
        blocks[name] = BlockDensities(pairwise_of(codes, loc, log_variance), standard_normal(codes))
        posterior = stats.norm.logpdf(codes, loc, np.exp(log_variance / 2))
        divergence += (posterior - stats.norm.logpdf(codes)).sum(axis=-1)
    return blocks, divergence


def added_up(terms):
    within = sum(float(term) for term in terms.within_blocks.values())
    dimension_wise = sum(float(ops.sum(term)) for term in terms.dimension_wise.values())
    return float(terms.mutual_information) + float(terms.between_blocks) + within + dimension_wise


def ones(size):
    return ops.ones((size,))


# --- The terms --------------------------------------------------------------------------------


@pytest.mark.parametrize("num_examples", [12, 60000, np.inf])
@pytest.mark.parametrize("kind", ["even", "uneven"])
def test_terms_add_up_to_the_sampled_divergence(rng, num_examples, kind):
    blocks, divergence = gaussian_blocks(rng)
    weights = np.ones(12) if kind == "even" else rng.uniform(0.2, 5, 12)
    log_weights = stratified_log_weights(tensor(weights), num_examples)
    terms = kl_terms(blocks, log_weights, tensor(weights))
    expected = np.average(divergence, weights=weights)
    assert added_up(terms) == pytest.approx(expected, abs=1e-4)


def test_terms_add_up_with_categorical_blocks_and_dependent_priors(rng):
    blocks, divergence = gaussian_blocks(rng)
    probabilities = rng.dirichlet(np.ones(4), 12)
    values, shift = rng.integers(0, 4, 12), rng.normal(size=12)
    blocks["style"] = blocks["style"]._replace(
        joint_prior=ops.sum(blocks["style"].prior, axis=-1) - tensor(shift)
    )
    log_prior = np.full((12, 1), np.log(0.25))
    told = categorical_log_density(ops.convert_to_tensor(values), tensor(np.log(probabilities)))
    blocks["digit"] = BlockDensities([told], tensor(log_prior))
    divergence += shift + np.log(probabilities[np.arange(12), values]) - np.log(0.25)
    terms = kl_terms(blocks, stratified_log_weights(ones(12), 500), ones(12))
    assert added_up(terms) == pytest.approx(divergence.mean(), abs=1e-4)
    assert float(terms.within_blocks["digit"]) == 0.0


def test_terms_are_the_sums_over_the_whole_data_set(rng):
    size, blocks, codes = 9, {}, {}
    for name, dim in DIMS.items():
        codes[name] = draw(rng, size, dim)
        blocks[name] = BlockDensities(pairwise_of(*codes[name]), standard_normal(codes[name][0]))
    terms = kl_terms(blocks, stratified_log_weights(ones(size), size), ones(size))

    def log_q(parts):
        """Of every code under every posterior, over some (block, dimension) pairs, summed up."""
        table = np.zeros((size, size))
        for name, d in parts:
            z, loc, log_variance = (array[:, d] for array in codes[name])
            table += stats.norm.logpdf(z[:, None], loc, np.exp(log_variance / 2))
        return table

    def log_mean(parts):
        return logsumexp(log_q(parts), axis=1) - np.log(size)

    block_parts = {name: [(name, d) for d in range(dim)] for name, dim in DIMS.items()}
    every = [part for parts in block_parts.values() for part in parts]
    joint = log_mean(every)
    expected = np.mean(np.diag(log_q(every)) - joint)
    assert float(terms.mutual_information) == pytest.approx(expected, abs=1e-4)
    by_block = {name: log_mean(parts) for name, parts in block_parts.items()}
    expected = np.mean(joint - sum(by_block.values()))
    assert float(terms.between_blocks) == pytest.approx(expected, abs=1e-4)
    for name, parts in block_parts.items():
        by_dim = np.stack([log_mean([part]) for part in parts], axis=1)
        expected = np.mean(by_block[name] - by_dim.sum(axis=1))
        assert float(terms.within_blocks[name]) == pytest.approx(expected, abs=1e-4)
        expected = (by_dim - stats.norm.logpdf(codes[name][0])).mean(axis=0)
        np.testing.assert_allclose(terms.dimension_wise[name], expected, atol=1e-4)


def test_total_correlation_is_what_parts_tell_less_what_the_whole_tells(rng):
    codes, loc, log_variance = draw(rng, 40, 4)
    pairwise = pairwise_of(codes, loc, log_variance)
    log_weights = stratified_log_weights(ones(40), 40)
    none = ops.zeros((40, 1))

    def information(columns):
        block = BlockDensities([pairwise[d] for d in columns], none)
        return float(kl_terms({"z": block}, log_weights, ones(40)).mutual_information)

    excess = sum(information([d]) for d in range(4)) - information([0, 1, 2, 3])
    found = float(ops.mean(total_correlation(pairwise, log_weights)))
    assert found == pytest.approx(excess, abs=1e-4)


def test_one_block_of_all_dimensions_is_many_blocks_of_one(rng):
    codes, loc, log_variance = draw(rng, 10, 3)
    pairwise, prior = pairwise_of(codes, loc, log_variance), standard_normal(codes)
    log_weights = stratified_log_weights(ones(10), 100)
    whole = kl_terms({"z": BlockDensities(pairwise, prior)}, log_weights, ones(10))
    singles = {str(d): BlockDensities(pairwise[d : d + 1], prior[:, d : d + 1]) for d in range(3)}
    split = kl_terms(singles, log_weights, ones(10))
    assert float(whole.between_blocks) == 0.0
    expected = float(whole.within_blocks["z"])
    assert float(split.between_blocks) == pytest.approx(expected, abs=1e-5)
    assert all(float(term) == 0.0 for term in split.within_blocks.values())


def test_the_order_of_the_examples_makes_no_difference(rng):
    order = rng.permutation(12)
    codes, loc, log_variance = draw(rng, 12, 3)
    weights = rng.uniform(0.2, 5, 12)
    found = []
    for rows in (np.arange(12), order):
        block = BlockDensities(
            pairwise_of(codes[rows], loc[rows], log_variance[rows]), standard_normal(codes[rows])
        )
        log_weights = stratified_log_weights(tensor(weights[rows]), 500)
        terms = kl_terms({"z": block}, log_weights, tensor(weights[rows]))
        found.append([*terms.dimension_wise["z"], terms.mutual_information])
        found[-1].append(terms.within_blocks["z"])
    np.testing.assert_allclose(*np.array(found, float), rtol=1e-5)


def test_the_information_is_at_most_the_log_of_the_number_of_examples(rng):
    codes = 1000.0 * rng.normal(size=(16, 5))
    block = BlockDensities(pairwise_of(codes, codes, np.zeros((16, 5))), standard_normal(codes))
    terms = kl_terms({"z": block}, stratified_log_weights(ones(16), 5000), ones(16))
    assert float(terms.mutual_information) == pytest.approx(np.log(5000), abs=1e-3)


# --- Closed forms -----------------------------------------------------------------------------

NOISE = 0.3


def correlated(rng, correlation, size):
    """Codes of posteriors of scale `NOISE`, whose means are correlated Gaussians, as a block."""
    loc = rng.multivariate_normal(np.zeros(2), [[1, correlation], [correlation, 1]], size)
    codes = loc + NOISE * rng.normal(size=loc.shape)
    log_variance = np.full_like(loc, 2 * np.log(NOISE))
    return BlockDensities(pairwise_of(codes, loc, log_variance), standard_normal(codes))


def truth(correlation):
    """Mutual information of mean and code, and total correlation of the code, in nats."""
    covariance = np.array([[1, correlation], [correlation, 1]]) + NOISE**2 * np.eye(2)
    scale = np.sqrt(np.diag(covariance))
    _, log_det = np.linalg.slogdet(covariance / np.outer(scale, scale))
    _, log_volume = np.linalg.slogdet(covariance / NOISE**2)
    return log_volume / 2, -log_det / 2


def estimates(rng, correlation, size, repeats):
    log_weights = stratified_log_weights(ones(size), 10000)
    found = [
        kl_terms({"z": correlated(rng, correlation, size)}, log_weights, ones(size))
        for _ in range(repeats)
    ]
    pairs = [(float(t.mutual_information), float(t.within_blocks["z"])) for t in found]
    return np.mean(pairs, axis=0)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_correlated_gaussians_have_the_total_correlation_of_their_determinant(rng, correlation):
    information, dependence = estimates(rng, correlation, 1000, 4)
    assert information == pytest.approx(truth(correlation)[0], abs=0.1)
    assert dependence == pytest.approx(truth(correlation)[1], abs=0.04)


def test_on_small_batches_information_is_too_high_and_total_correlation_too_low(rng):
    information, dependence = np.subtract(estimates(rng, 0.6, 64, 60), truth(0.6))
    assert 0.1 < information < 0.5
    assert -0.2 < dependence < -0.02


# --- A block and a class ----------------------------------------------------------------------


def certain(labels, num_classes=3):
    """Log probabilities of a class read without doubt."""
    return ops.log_softmax(1000.0 * ops.one_hot(labels, num_classes))


def class_dependence(rng, loc, labels):
    codes = loc + rng.normal(size=loc.shape)
    arrays = (tensor(codes), tensor(loc), ops.zeros(loc.shape))
    return float(class_total_correlation(*arrays, labels, certain(labels)))


def test_dependence_on_the_class_is_the_information_of_code_and_class(rng):
    labels = np.arange(1500) % 2
    loc = np.where(labels, 1.5, -1.5)[:, None] + rng.normal(size=(1500, 1))
    z = np.linspace(-12, 12, 20001)
    components = stats.norm.pdf(z, [[1.5], [-1.5]], np.sqrt(2))
    mixture = components.mean(axis=0)
    expected = (components * np.log(components / mixture)).mean(axis=0).sum() * (z[1] - z[0])
    assert 0.3 < expected < np.log(2)
    assert class_dependence(rng, loc, labels) == pytest.approx(expected, abs=0.05)


def test_codes_that_do_not_know_the_class_have_no_dependence_on_it(rng):
    found = class_dependence(rng, rng.normal(size=(1500, 2)), np.arange(1500) % 3)
    assert abs(found) < 0.05


def test_codes_that_flee_their_class_gain_nothing(rng):
    """Four places far apart: one code of either class in each, or the classes in two each."""
    places = np.repeat(8.0 * np.arange(4), 2)[:, None]
    assert class_dependence(rng, places, np.arange(8) % 2) == pytest.approx(0.0, abs=1e-5)
    split = class_dependence(rng, places, np.repeat([0, 1], 4))
    assert split == pytest.approx(np.log(2), abs=0.05)


def test_small_batches_are_never_below_zero_on_average(rng):
    labels, loc = np.arange(10) % 3, rng.normal(size=(10, 2))
    found = [class_dependence(rng, loc, labels) for _ in range(200)]
    assert np.mean(found) > 3 * np.std(found) / np.sqrt(200)


def test_a_class_alone_in_its_batch_is_no_infinity(rng, gradients_of):
    labels = np.array([0, 1, 1, 1, 2, 2])
    loc = keras.Variable(rng.normal(size=(6, 2)).astype(np.float32))
    noise, zeros = tensor(rng.normal(size=(6, 2))), ops.zeros((6, 2))

    def loss(rows=slice(None)):
        codes = (loc + noise)[rows]
        arrays = (loc[rows], zeros[rows], labels[rows], certain(labels[rows]))
        return class_total_correlation(codes, *arrays)

    assert np.isfinite(float(loss()))
    assert np.isfinite(gradients_of(loss, [loc])[0]).all()
    assert float(loss(slice(0, 1))) == 0.0
    assert not gradients_of(lambda: loss(slice(0, 1)), [loc])[0].any()


def test_the_gradient_draws_the_classes_together(rng, gradients_of):
    labels = np.arange(60) % 2
    start = rng.normal(size=(60, 3)).astype(np.float32)
    start[:, 0] += 1.5 * labels
    loc, noise, zeros = keras.Variable(start), tensor(rng.normal(size=(60, 3))), ops.zeros((60, 3))
    (gradient,) = gradients_of(
        lambda: class_total_correlation(loc + noise, loc, zeros, labels, certain(labels)), [loc]
    )
    assert gradient[labels == 1, 0].mean() > 0 > gradient[labels == 0, 0].mean()


# --- Numerical stability ----------------------------------------------------------------------


def test_codes_far_apart_keep_their_digits(rng):
    codes, log_variance = 1e4 * rng.normal(size=(8, 4)), np.full((8, 4), -12.0)
    loc = codes.astype(np.float32).astype(float)
    found = pairwise_of(codes, loc, log_variance)
    expected = stats.norm.logpdf(codes.astype(np.float32)[:, None], loc, np.exp(-6.0))
    np.testing.assert_allclose(np.stack(found, axis=-1), expected, rtol=1e-4)
    log_weights = stratified_log_weights(ones(8), 50)
    block = BlockDensities(found, standard_normal(codes))
    terms = kl_terms({"z": block}, log_weights, ones(8))
    assert float(terms.mutual_information) == pytest.approx(np.log(50), abs=1e-4)
    assert float(terms.within_blocks["z"]) == pytest.approx(3 * np.log(50), abs=1e-3)


@pytest.mark.parametrize("distance", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("num_examples", [8, 1e6, np.inf])
def test_gradients_are_finite(rng, gradients_of, distance, num_examples):
    loc = keras.Variable((distance * rng.normal(size=(8, 4))).astype(np.float32))
    log_variance, noise = keras.Variable(np.full((8, 4), -6.0, np.float32)), rng.normal(size=(8, 4))

    def loss():
        codes = loc + ops.exp(0.5 * log_variance) * tensor(noise)
        block = BlockDensities(gaussian_log_density(codes, loc, log_variance), -ops.square(codes))
        log_weights = stratified_log_weights(ones(8), num_examples)
        terms = kl_terms({"z": block}, log_weights, ones(8))
        penalty = 2.0 * terms.mutual_information + 3.0 * terms.within_blocks["z"]
        return penalty + ops.sum(terms.dimension_wise["z"])

    assert all(np.isfinite(gradient).all() for gradient in gradients_of(loss, [loc, log_variance]))
