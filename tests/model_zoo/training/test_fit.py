from dataclasses import replace

import keras
import numpy as np
import pytest

from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import (
    Schedule,
)


class Poison(keras.callbacks.Callback):
    """Makes the weights useless when an epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.dense.bias.assign(np.full(4, np.nan))


def assert_same_weights(model, expected):
    for weight, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


def test_same_seed_gives_the_same_weights(noisy_line, folds, schedule, tmp_path):
    first, second = noisy_line(), noisy_line()
    fit(first, *folds, schedule, tmp_path / "first")
    fit(second, *folds, schedule, tmp_path / "second")
    assert_same_weights(first, second)


def test_another_seed_of_the_schedule_shows_another_order(noisy_line, folds, schedule, tmp_path):
    first, second = noisy_line(), noisy_line()
    fit(first, *folds, schedule, tmp_path / "first")
    fit(second, *folds, replace(schedule, seed=1), tmp_path / "second")
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_broken_run_ends_as_an_unbroken_one(
    noisy_line, folds, schedule, interruption, tmp_path, epoch
):
    unbroken, resumed = noisy_line(), noisy_line(seed=9)
    history = fit(unbroken, *folds, schedule, tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        fit(noisy_line(), *folds, schedule, tmp_path / "broken", [interruption(epoch)])
    assert fit(resumed, *folds, schedule, tmp_path / "broken") == history
    assert_same_weights(resumed, unbroken)


class StopAtStep(keras.callbacks.Callback):
    """Presses Ctrl-C after a step of an epoch."""

    def __init__(self, epoch, step):
        super().__init__()
        self.at, self.epoch = (epoch, step), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch + 1) == self.at:
            raise KeyboardInterrupt


class Seen(keras.callbacks.Callback):
    """Notes how many steps every epoch has."""

    def __init__(self):
        super().__init__()
        self.steps = {}

    def on_epoch_begin(self, epoch, logs=None):
        self.steps[epoch] = 0

    def on_train_batch_end(self, batch, logs=None):
        (epoch,) = list(self.steps)[-1:]
        self.steps[epoch] = batch + 1


@pytest.mark.parametrize(("epoch", "at_once"), [(0, 1), (1, 1), (2, 1), (1, 2)])
def test_a_run_that_was_stopped_within_an_epoch_goes_on_from_there(
    noisy_line, folds, schedule, tmp_path, epoch, at_once
):
    often = replace(
        schedule, batch_size=20, steps_per_execution=at_once, checkpoint_minutes=1e-9
    )  # 4 steps an epoch
    unbroken, resumed, seen = noisy_line(), noisy_line(seed=9), Seen()
    history = fit(unbroken, *folds, often, tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        fit(noisy_line(), *folds, often, tmp_path / "broken", [StopAtStep(epoch, 2)])
    assert fit(resumed, *folds, often, tmp_path / "broken", [seen]) == history
    assert seen.steps == {epoch: 2} | {later: 4 for later in range(epoch + 1, 3)}
    assert_same_weights(resumed, unbroken)


def test_within_short_epochs_no_state_is_written(noisy_line, folds, schedule, tmp_path):
    stepwise = replace(schedule, steps_per_execution=1)
    with pytest.raises(KeyboardInterrupt):
        fit(noisy_line(), *folds, stepwise, tmp_path, [StopAtStep(0, 2)])
    assert not list(tmp_path.iterdir())


def test_training_stops_when_patience_runs_out(noisy_line, folds, tmp_path):
    still = Schedule(epochs=9, batch_size=80, learning_rate=0.0, patience=2)
    model = noisy_line()
    assert len(fit(model, *folds, still, tmp_path)) == 3
    assert len(fit(model, *folds, still, tmp_path)) == 3


def test_a_finished_run_is_not_trained_further(noisy_line, folds, schedule, tmp_path):
    model, again = noisy_line(), noisy_line(seed=9)
    history = fit(model, *folds, schedule, tmp_path)
    assert fit(again, *folds, schedule, tmp_path) == history
    assert_same_weights(again, model)


def test_divergence_is_an_error_and_the_run_can_go_on(noisy_line, folds, schedule, tmp_path):
    with pytest.raises(FloatingPointError, match=r"Lower `train\.learning_rate`.*--resume"):
        fit(noisy_line(), *folds, schedule, tmp_path, [Poison()])
    model = noisy_line()
    history = fit(model, *folds, schedule, tmp_path)
    assert [epoch["epoch"] for epoch in history] == [0, 1, 2]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_steps_in_one_execution_are_the_same_steps(noisy_line, folds, schedule, tmp_path):
    one, three = noisy_line(), noisy_line()
    whole = replace(schedule, batch_size=20, steps_per_execution=1)
    history = fit(one, *folds, whole, tmp_path / "one")
    bundled = fit(three, *folds, replace(whole, steps_per_execution=4), tmp_path / "four")
    for weight, other in zip(one.get_weights(), three.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)
    assert bundled[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=1e-4)
