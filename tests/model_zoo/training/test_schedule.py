import keras
import numpy as np
import pytest

from latentloom.model_zoo.optimizers import FusedAdam
from latentloom.model_zoo.training.schedule import (
    Schedule,
    adam,
    check_accumulation,
    optimizer,
    steps_per_execution,
)


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
    monkeypatch.setattr("latentloom.model_zoo.training.schedule.num_replicas", lambda: 2)
    check_accumulation(Schedule(epochs=1))
    with pytest.raises(ValueError, match=r"2 devices.*KERAS_BACKEND=jax"):
        check_accumulation(Schedule(epochs=1, gradient_accumulation_steps=2))


def test_as_many_steps_at_once_as_leave_none_out():
    jax = keras.backend.backend() == "jax"
    at_once = {n: steps_per_execution(Schedule(epochs=1), n) for n in (375, 40, 17, 3)}
    assert at_once == (dict.fromkeys(at_once, 1) if jax else {375: 5, 40: 10, 17: 1, 3: 3})
    assert steps_per_execution(Schedule(epochs=1, steps_per_execution=4), 17) == 4
