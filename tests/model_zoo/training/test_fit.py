from dataclasses import replace

import keras
import numpy as np
import pytest

from latentloom.model_zoo.optimizers import FusedAdam
from latentloom.model_zoo.training.fit import (
    CLASSIFIER_RANGE,
    Schedule,
    adam,
    check_accumulation,
    fit,
    fit_classifier,
    forget,
    optimizer,
    steps_per_execution,
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


def test_the_rate_falls_to_a_twentieth():
    rate = adam(Schedule(epochs=4, learning_rate=0.1), steps_per_epoch=5)._learning_rate
    assert float(rate(0)) == pytest.approx(0.1)
    assert float(rate(20)) == pytest.approx(0.005)


def test_the_rate_rises_before_it_falls():
    rate = adam(Schedule(epochs=4, learning_rate=0.1, warmup_steps=5), 5)._learning_rate
    values = [float(rate(step)) for step in (0, 1, 4, 5, 20)]
    np.testing.assert_allclose(values, [0.0, 0.02, 0.08, 0.1, 0.005], rtol=1e-5, atol=1e-9)


def test_a_rate_that_would_rise_to_the_end_is_refused():
    with pytest.raises(ValueError, match=r"warmup_steps below 20.*Lower it, or raise"):
        adam(Schedule(epochs=4, warmup_steps=20), 5)


def test_a_model_that_asks_for_no_other_rates_gets_one_adam(noisy_line):
    assert type(optimizer(noisy_line(), Schedule(epochs=4), 5)) is FusedAdam


def test_a_part_of_the_model_learns_at_its_own_rate(noisy_line):
    model = noisy_line()
    model.relative_rates = {"dense": (model.dense, 3.0)}
    grouped = optimizer(model, Schedule(epochs=4, learning_rate=0.1), 5)
    rates = [float(part.learning_rate) for part in grouped.optimizers]
    assert rates == pytest.approx([0.3, 0.1])


def test_gradients_are_averaged_before_an_update():
    accumulating = adam(Schedule(epochs=9, gradient_accumulation_steps=2), steps_per_epoch=50)
    once = adam(Schedule(epochs=9), steps_per_epoch=50)
    weight, alone = keras.Variable(1.0), keras.Variable(1.0)
    accumulating.apply([keras.ops.convert_to_tensor(3.0)], [weight])
    assert float(weight.value) == 1.0
    accumulating.apply([keras.ops.convert_to_tensor(-1.0)], [weight])
    once.apply([keras.ops.convert_to_tensor(1.0)], [alone])
    assert float(weight.value) == pytest.approx(float(alone.value), rel=1e-5)
    assert float(weight.value) < 1.0


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX can")
def test_accumulation_on_several_devices_is_refused(monkeypatch):
    monkeypatch.setattr("latentloom.model_zoo.training.fit.num_replicas", lambda: 2)
    check_accumulation(Schedule(epochs=1))
    with pytest.raises(ValueError, match=r"2 devices.*KERAS_BACKEND=jax"):
        check_accumulation(Schedule(epochs=1, gradient_accumulation_steps=2))


def test_as_many_steps_at_once_as_leave_none_out():
    jax = keras.backend.backend() == "jax"
    at_once = {n: steps_per_execution(Schedule(epochs=1), n) for n in (375, 40, 17, 3)}
    assert at_once == (dict.fromkeys(at_once, 1) if jax else {375: 5, 40: 10, 17: 1, 3: 3})
    assert steps_per_execution(Schedule(epochs=1, steps_per_execution=4), 17) == 4


def test_steps_in_one_execution_are_the_same_steps(noisy_line, folds, schedule, tmp_path):
    one, three = noisy_line(), noisy_line()
    whole = replace(schedule, batch_size=20, steps_per_execution=1)
    history = fit(one, *folds, whole, tmp_path / "one")
    bundled = fit(three, *folds, replace(whole, steps_per_execution=4), tmp_path / "four")
    for weight, other in zip(one.get_weights(), three.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)
    assert bundled[-1]["loss"] == pytest.approx(history[-1]["loss"], rel=1e-4)


def test_classifier_learns_and_follows_its_seed(digits):
    train = digits[0][:200], digits[1][:200]
    schedule = Schedule(epochs=12, batch_size=50, learning_rate=3e-3, seed=4)
    first = fit_classifier(train, 10, schedule)
    low, high = CLASSIFIER_RANGE
    observations = digits[0][200:300] * np.float32((high - low) / 255) + low
    predicted = np.argmax(first(observations), axis=-1)
    assert np.mean(predicted == digits[1][200:300]) > 0.8
    assert_same_weights(fit_classifier(train, 10, schedule), first)


def test_forgetting_removes_the_folder_and_minds_no_missing_one(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.json").write_text("{}")
    forget(tmp_path / "state")
    forget(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_a_classifier_learns_several_factors_at_once(digits):
    images, labels = digits[0][:600], digits[1][:600]
    values = np.stack([labels, labels % 2], axis=1)
    network = fit_classifier((images, values), [10, 2], Schedule(epochs=20, learning_rate=3e-3))
    logits = np.asarray(network(images[:300].astype(np.float32) / 127.5 - 1, training=False))
    assert logits.shape == (300, 12)
    assert np.mean(logits[:, :10].argmax(axis=1) == labels[:300]) > 0.9
    assert np.mean(logits[:, 10:].argmax(axis=1) == labels[:300] % 2) > 0.9
