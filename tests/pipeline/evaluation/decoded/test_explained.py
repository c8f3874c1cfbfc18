"""What is said of a model whose reconstructions explain too little."""

import pytest

from latentloom.pipeline.config.settings import TrainConfig
from latentloom.pipeline.evaluation.decoded.explained import (
    LEAST_EXPLAINED,
    OVERALL,
    WITHIN,
    find_unlearnt,
    rounded,
)
from latentloom.pipeline.report.measure import Measure


def measures(overall: float, within: float) -> list[Measure]:
    return [
        Measure(name=key, key=key, value=value, threshold=LEAST_EXPLAINED[key])
        for key, value in ((OVERALL, overall), (WITHIN, within))
    ]


FALLING = [1 / epoch**0.5 for epoch in range(1, 11)]


def test_a_model_above_both_bounds_is_silent_as_is_one_without_figures():
    assert find_unlearnt(measures(0.8, 0.5), FALLING, 100, TrainConfig()) == []
    assert find_unlearnt([], FALLING, 100, TrainConfig()) == []


def test_the_sentence_names_shares_steps_and_the_setting():
    (told,) = find_unlearnt(measures(0.3, -0.6), FALLING, 180, TrainConfig())
    assert "explain 30.0% of the variance and -60.0% of it within classes after 180 steps" in told
    assert told.endswith("set train.steps=720.")  # twice the error, and it falls with the root


def test_a_flat_curve_asks_for_a_larger_code_first():
    (told,) = find_unlearnt(measures(0.1, 0.0), [1.0] * 10, 500, TrainConfig())
    assert "enlarge the code under model.args first" in told
    assert "train.steps=10000" in told


def test_a_training_that_ran_out_of_time_asks_for_more_of_it():
    (told,) = find_unlearnt(measures(0.1, 0.0), FALLING, 500, TrainConfig(minutes=1.0))
    assert told.endswith("and raise train.minutes likewise.")


@pytest.mark.parametrize(("steps", "told"), [(7, 7), (721, 730), (12_345, 13_000)])
def test_steps_are_rounded_up_to_two_digits(steps, told):
    assert rounded(steps) == told
