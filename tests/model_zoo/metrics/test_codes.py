"""Information in codes against closed forms and codes whose figures are known."""

import numpy as np
import pytest

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.metrics.codes import (
    active_units,
    class_entropy,
    kl_from_standard_normal,
    mutual_information_bound,
)

LABELS = np.repeat(np.arange(4), 50)


def test_entropy_of_balanced_classes_is_the_logarithm_of_their_number():
    assert class_entropy(LABELS) == pytest.approx(np.log(4))
    assert class_entropy(np.array([0, 0, 0, 2])) == pytest.approx(
        -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    )
    assert class_entropy(np.zeros(5, int)) == 0


def test_a_code_that_tells_the_class_has_all_of_its_entropy():
    scores = 1000.0 * np.eye(4)[LABELS]
    assert mutual_information_bound(scores, LABELS) == pytest.approx(np.log(4))


def test_scores_that_do_not_depend_on_the_code_have_no_information():
    assert mutual_information_bound(np.full((200, 4), 7.0), LABELS) == pytest.approx(0)
    shares = np.array([0.5, 0.3, 0.2])
    labels = np.repeat(np.arange(3), (shares * 100).astype(int))
    scores = np.tile(np.log(shares) - 3.0, (100, 1))
    assert mutual_information_bound(scores, labels) == pytest.approx(0)


def test_scores_that_are_surely_wrong_count_against_the_bound():
    scores = 10.0 * np.eye(4)[(LABELS + 1) % 4]
    expected = np.log(4) - 10.0 - np.log1p(3 * np.exp(-10.0))
    assert mutual_information_bound(scores, LABELS) == pytest.approx(expected)


def test_scores_of_a_channel_with_errors_have_the_information_of_the_channel():
    error = 0.1  # a binary symmetric channel
    read = np.where(np.arange(1000) % 10 == 0, 1, 0)
    labels = np.r_[np.zeros(1000, int), np.ones(1000, int)]
    channel = np.log([[1 - error, error], [error, 1 - error]])
    scores = np.r_[channel[read], channel[1 - read]]
    capacity = np.log(2) + error * np.log(error) + (1 - error) * np.log(1 - error)
    assert mutual_information_bound(scores, labels) == pytest.approx(capacity)


def test_units_are_active_if_they_differ_between_examples():
    codes = np.random.default_rng(0).normal(size=(500, 6)) * [1, 0.5, 0.2, 0.05, 0.01, 0]
    assert active_units(codes + 100) == 3
    assert active_units(np.ones((500, 6), np.float32)) == 0
    assert active_units(codes, threshold=0.001) == 4


@pytest.mark.parametrize(
    ("loc", "scale", "nats"), [(0, 1, 0), (1, 1, 0.5), (0, 2, 1.5 - np.log(2))]
)
def test_divergence_is_summed_over_dimensions(loc, scale, nats):
    shape = (10, 3)
    found = kl_from_standard_normal(np.full(shape, float(loc)), np.full(shape, float(scale)))
    assert found == pytest.approx(3 * nats)


def test_divergence_is_that_of_the_library():
    rng = np.random.default_rng(0)
    loc = rng.normal(size=(20, 5)).astype(np.float32)
    scale = rng.uniform(0.1, 3, size=(20, 5)).astype(np.float32)
    zeros = np.zeros(5, np.float32)
    reference = tfd.kl_divergence(
        tfd.MultivariateNormalDiag(loc, scale), tfd.MultivariateNormalDiag(zeros, zeros + 1)
    )
    found = kl_from_standard_normal(loc, scale)
    assert found == pytest.approx(float(np.mean(np.asarray(reference))), rel=1e-5)


def test_a_point_is_infinitely_far_from_the_prior():
    assert kl_from_standard_normal(np.zeros((2, 3)), np.zeros((2, 3))) == np.inf
