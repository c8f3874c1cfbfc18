"""The mixture against per-class densities of SciPy and TFP."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats
from scipy.special import log_softmax

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.losses.mixture import (
    component_log_density,
    half_mahalanobis,
    mixture_losses,
)
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture

NUM_CLASSES, DIM = 5, 7
LOG_2_PI = np.log(2 * np.pi)


@pytest.fixture(autouse=True)
def double_precision():
    """Lets JAX compute in float64 where it is given float64, as TensorFlow does."""
    with contextlib.ExitStack() as stack:
        if keras.backend.backend() == "jax":
            import jax

            stack.enter_context(jax.enable_x64(True))
        yield


@pytest.fixture(scope="module")
def case():
    """Codes, labels, centres and precisions in float64."""
    rng = np.random.default_rng(0)
    codes, loc = rng.normal(size=(20, DIM)), rng.normal(size=(NUM_CLASSES, DIM))
    precision = rng.uniform(0.2, 8.0, (NUM_CLASSES, DIM))
    return codes, np.arange(20) % NUM_CLASSES, loc, precision


def tensors(*arrays):
    return [ops.convert_to_tensor(array) for array in arrays]


def reference_log_density(codes, loc, precision):
    """Log density of every code under every class, one normal a dimension, by SciPy."""
    return stats.norm.logpdf(codes[:, None], loc, precision**-0.5).sum(axis=-1)


def test_scores_are_the_log_densities_of_scipy(case):
    codes, _, loc, precision = case
    scores = np.asarray(component_log_density(*tensors(codes, loc, precision)))
    expected = reference_log_density(codes, loc, precision) + DIM / 2 * LOG_2_PI
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)


def test_scores_give_the_class_posterior_of_tfp(case):
    codes, _, loc, precision = case
    scores = component_log_density(*tensors(codes, loc, precision))
    classes = tfd.MultivariateNormalDiag(loc, precision**-0.5)
    expected = ops.softmax(classes.log_prob(codes[:, None]))
    np.testing.assert_allclose(ops.softmax(scores), expected, rtol=0, atol=1e-6)


def test_expanded_and_direct_distances_agree(case):
    codes, _, loc, precision = case
    direct = 0.5 * np.sum(precision * (codes[:, None] - loc) ** 2, axis=-1)
    expanded = half_mahalanobis(*tensors(codes, loc, precision))
    np.testing.assert_allclose(expanded, direct, rtol=0, atol=1e-12)


def test_likelihood_loss_is_minus_the_log_density_of_the_own_class(case):
    codes, labels, loc, precision = case
    _, likelihood_loss = mixture_losses(*tensors(codes, labels, loc, precision))
    own = reference_log_density(codes, loc, precision)[np.arange(20), labels]
    assert float(likelihood_loss) + DIM / 2 * LOG_2_PI == pytest.approx(-own.mean(), rel=1e-6)


def test_class_loss_is_the_cross_entropy_of_the_class_posterior(case):
    codes, labels, loc, precision = case
    class_loss, _ = mixture_losses(*tensors(codes, labels, loc, precision))
    scores = reference_log_density(codes, loc, precision)
    posterior = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    expected = -np.log(posterior[np.arange(20), labels]).mean()
    assert float(class_loss) == pytest.approx(expected, rel=1e-6)


def test_margin_asks_more_of_the_class_and_nothing_of_the_likelihood(case):
    plain = mixture_losses(*tensors(*case))
    wide = mixture_losses(*tensors(*case), margin=0.3)
    assert float(wide[0]) > float(plain[0])
    assert float(wide[1]) == float(plain[1])


def test_wide_codes_do_not_underflow(gradients_of):
    rng = np.random.default_rng(0)
    codes, loc = rng.normal(size=(8, 512)), 0.1 * rng.normal(size=(4, 512))
    labels, precision = np.arange(8) % 4, np.ones((4, 512))
    narrow = [keras.Variable(array, dtype="float32") for array in (codes, loc, precision)]
    assert not np.any(np.exp(-np.asarray(half_mahalanobis(*narrow))))

    def class_loss():
        return mixture_losses(ops.convert_to_tensor(narrow[0]), labels, *narrow[1:])[0]

    log_posterior = log_softmax(reference_log_density(codes, loc, precision), axis=-1)
    assert float(class_loss()) == pytest.approx(
        -log_posterior[np.arange(8), labels].mean(), rel=1e-4
    )
    for gradient in gradients_of(class_loss, narrow):
        assert np.abs(gradient).max() > 1e-3


@pytest.fixture
def mixture():
    return ClassMixture(3, 2)


def test_precision_begins_at_one(mixture):
    np.testing.assert_allclose(mixture.precision, 0.99916, atol=5e-6)


@pytest.mark.parametrize(("raw", "precision"), [(100.0, 10.0), (-100.0, 0.1)])
def test_precision_is_clipped(mixture, raw, precision):
    mixture.raw_precision.assign(np.full((3, 2), raw))
    np.testing.assert_allclose(mixture.precision, precision, rtol=1e-6)


def test_a_precision_of_four_is_a_scale_of_one_half(mixture):
    mixture.raw_precision.assign(np.full((3, 2), np.log(np.expm1(4.0))))
    codes = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    expected = stats.norm.logpdf(codes[:, None], mixture.loc.numpy(), 0.5).sum(axis=-1)
    np.testing.assert_allclose(mixture(codes), expected + LOG_2_PI, atol=1e-4)
    np.testing.assert_allclose(mixture.components().stddev(), 0.5, rtol=1e-6)


def test_components_of_labels_are_those_of_their_classes(mixture):
    components = mixture.components(np.array([2, 0]))
    np.testing.assert_array_equal(components.mean(), mixture.loc.numpy()[[2, 0]])


def test_mixture_weighs_all_classes_alike(mixture):
    codes = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    each = np.asarray(mixture.components().log_prob(codes[:, None]))
    expected = np.log(np.exp(each).mean(axis=-1))
    np.testing.assert_allclose(mixture.mixture().log_prob(codes), expected, atol=1e-5)


def test_config_round_trip_keeps_the_range_of_the_precision():
    mixture = ClassMixture(3, 2, precision_range=(0.5, 2.0))
    restored = ClassMixture.from_config(mixture.get_config())
    restored.raw_precision.assign(np.full((3, 2), 100.0))
    np.testing.assert_allclose(restored.precision, 2.0)
