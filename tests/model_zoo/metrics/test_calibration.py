"""Calibration against judges that are right as often as is known."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.calibration import (
    calibration_error,
    fit_temperature,
    reliability,
)


def test_a_judge_that_is_right_as_often_as_it_is_sure_has_no_error():
    confidence = np.repeat([0.25, 0.75], 400)
    right = np.tile([True, False, False, False], 100), np.tile([True, True, True, False], 100)
    assert calibration_error(confidence, np.concatenate(right)) == pytest.approx(0, abs=1e-12)


def test_the_error_is_the_mean_gap_weighted_by_what_is_in_a_bin():
    confidence = np.array([0.95, 0.95, 0.95, 0.55])
    right = np.array([True, True, False, True])
    expected = (3 * abs(0.95 - 2 / 3) + abs(0.55 - 1)) / 4
    assert calibration_error(confidence, right) == pytest.approx(expected)


def test_random_draws_of_a_calibrated_judge_come_close():
    rng = np.random.default_rng(0)
    confidence = rng.random(100_000)
    assert calibration_error(confidence, rng.random(100_000) < confidence) < 0.01
    assert calibration_error(confidence, np.zeros(100_000)) == pytest.approx(0.5, abs=0.01)


def test_the_ends_belong_to_the_first_and_the_last_bin():
    bins = reliability(np.array([0.0, 1.0]), np.array([False, True]))
    assert bins["counts"][[0, -1]].tolist() == [1, 1]
    assert bins["right"][[0, -1]].tolist() == [0, 1]


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="no predictions to check"):
        calibration_error(np.zeros(0), np.zeros(0))


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_much_too_sure_a_judge_is(sureness):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4))
    labels = (softmax(logits).cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    said = softmax(sureness * logits)
    assert fit_temperature(said, labels) == pytest.approx(sureness, rel=0.06)


def test_a_judge_that_makes_no_mistake_has_the_lowest_temperature_and_stays_finite():
    assert 0 < fit_temperature(np.eye(3), np.arange(3)) < 1
