"""The power law of a learning curve, and the share of the variance that is explained."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.explained import explained_variance
from latentloom.model_zoo.training.classifier import fit_classifier
from latentloom.model_zoo.training.learning_curve import (
    USUAL_EXPONENT,
    decay_exponent,
    steps_factor,
)
from latentloom.model_zoo.training.schedule import Schedule


@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0])
def test_the_exponent_of_a_power_law_is_found(exponent):
    losses = [7 * epoch**-exponent for epoch in range(1, 30)]
    assert decay_exponent(losses) == pytest.approx(exponent)


def test_a_flat_curve_has_the_exponent_0_and_a_short_one_the_usual():
    assert decay_exponent([2.0] * 10) == pytest.approx(0)
    assert decay_exponent([3.0, 2.0]) == USUAL_EXPONENT
    assert decay_exponent([1.0, 0.0, -1.0, -2.0]) == USUAL_EXPONENT


def test_the_factor_follows_the_law_within_its_bounds():
    assert steps_factor(0.8, 0.4, 0.5) == pytest.approx(4)
    assert steps_factor(0.8, 0.79, 0.5) == pytest.approx(2)
    assert steps_factor(0.8, 0.4, 0) == pytest.approx(20)


def test_the_class_mean_explains_nothing_within_classes_and_a_copy_everything():
    rng = np.random.default_rng(0)
    labels, means = np.arange(60) % 3, np.array([[0.0, 1.0], [5.0, 5.0], [9.0, 2.0]])
    observed = means[labels] + rng.normal(size=(60, 2))
    by_mean = explained_variance(observed, means[labels], labels, means)
    assert by_mean
    assert by_mean.within_class == 0
    assert 0.8 < by_mean.overall < 1
    assert explained_variance(observed, observed, labels, means) == (1, 1)
    assert explained_variance(means[labels], observed, labels, means) is None


def test_a_classifier_ends_when_its_time_runs_out():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    schedule = Schedule(epochs=1_000_000, minutes=1e-4, batch_size=20)
    network = fit_classifier((images, np.arange(40) % 2), 2, schedule, width=4)
    assert network.output_shape == (None, 2)
