"""One optimizer made of several, in `fit`: on devices, with callbacks, broken off and loaded."""

import h5py
import keras
import numpy as np
import pytest
from keras.optimizers import SGD, Adam
from keras.optimizers.schedules import CosineDecay

from latentloom.model_zoo.optimizers import Grouped
from latentloom.model_zoo.training.checkpoints import Checkpoints

BACKEND = keras.backend.backend()
OBSERVATIONS = np.random.default_rng(0).normal(size=(40, 64)).astype("float32")
TARGETS = OBSERVATIONS[:, 0]

TRAIN = """
import json
import keras
import numpy as np
from latentloom.model_zoo.backend.devices import num_replicas, placement, uses_xla
from latentloom.model_zoo.optimizers import Grouped

def train(devices):
    with placement(devices):
        first, last = keras.layers.Dense(3), keras.layers.Dense(1)
        model = keras.Sequential([keras.Input((2,)), first, last])
        for index, each in enumerate(model.trainable_variables):
            each.assign(np.linspace(-1, 1 + index, np.prod(each.shape)).reshape(each.shape))
        rate = keras.optimizers.schedules.CosineDecay(0.05, 20)
        groups = {"last": (last, keras.optimizers.SGD(rate, momentum=0.9))}
        optimizer = Grouped(groups, default=keras.optimizers.Adam(0.02))
        model.compile(optimizer, "mse", jit_compile=uses_xla())
        x = np.linspace(0, 1, 64, dtype="float32").reshape(32, 2)
        model.fit(x, x.sum(axis=1, keepdims=True), 8, epochs=3, shuffle=False, verbose=0)
        steps = [keras.ops.convert_to_numpy(each.iterations) for each in optimizer.optimizers]
        weights = [np.asarray(weight).tolist() for weight in model.get_weights()]
        return {"steps": [int(s) for s in steps], "weights": weights, "replicas": num_replicas()}

print(json.dumps([train(1), train(2)]))
"""


def assert_equal(values, expected):
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_array_equal(value, other)


def parts(model):
    """Rates with schedules, momentum, and steps that do not divide an epoch's."""
    adam = Adam(CosineDecay(0.05, 30), gradient_accumulation_steps=3)
    sgd = SGD(CosineDecay(0.02, 15), momentum=0.9, gradient_accumulation_steps=2)
    return Grouped({"bias": ([model.dense.bias], sgd)}, default=adam)


# --- Training ---------------------------------------------------------------------------------


@pytest.mark.parametrize("jit_compile", [True] if BACKEND == "jax" else [False, True])
def test_a_group_at_rest_stays_while_another_learns(noisy_line, jit_compile):
    model = noisy_line()
    bias, kernel = model.dense.bias.numpy(), model.dense.kernel.numpy()
    groups = {"kernel": ([model.dense.kernel], SGD(0.0))}
    model.compile(Grouped(groups, default=Adam(0.01)), jit_compile=jit_compile)
    model.fit(OBSERVATIONS, TARGETS, 8, verbose=0)
    np.testing.assert_array_equal(model.dense.kernel.numpy(), kernel)
    assert not np.isclose(model.dense.bias.numpy(), bias).any()


def test_fit_with_one_group_is_fit_with_its_optimizer(noisy_line):
    plain, grouped = noisy_line(), noisy_line()
    for model, optimizer in (
        (plain, Adam(0.01)),
        (grouped, Grouped({"all": (grouped, Adam(0.01))}, SGD(1.0))),
    ):
        model.compile(optimizer, jit_compile=BACKEND == "jax")
        model.fit(OBSERVATIONS, TARGETS, 8, verbose=0, shuffle=False)
    assert_equal(grouped.get_weights(), plain.get_weights())


def test_rates_of_all_groups_are_adjusted_by_callbacks(noisy_line):
    model = noisy_line()
    groups = {"bias": ([model.dense.bias], SGD(0.5))}
    model.compile(Grouped(groups, default=Adam(0.1)), jit_compile=BACKEND == "jax")
    half = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(OBSERVATIONS, TARGETS, 8, callbacks=[half], verbose=0)
    rates = [float(each.learning_rate) for each in model.optimizer.optimizers]
    assert rates == pytest.approx([0.25, 0.05])


def test_two_devices_learn_what_one_learns(on_two_devices):
    one, two = on_two_devices(TRAIN)
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert one["steps"] == two["steps"] == [12, 12]
    for alone, shared in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(shared, alone, rtol=1e-4, atol=1e-5)


# --- Saving -----------------------------------------------------------------------------------


def run(model, folder, callbacks=()):
    """Trains three epochs of five batches, going on after the last that is in the folder."""
    model.compile(parts(model), jit_compile=BACKEND == "jax")
    checkpoints = Checkpoints(folder, "loss", patience=0)
    checkpoints.restore(model)
    model.fit(
        OBSERVATIONS,
        TARGETS,
        batch_size=8,
        initial_epoch=checkpoints.next_epoch,
        epochs=3,
        shuffle=False,
        callbacks=[checkpoints, *callbacks],
        verbose=0,
    )
    return [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.variables)]


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_broken_run_ends_as_an_unbroken_one(noisy_line, interruption, tmp_path, epoch):
    expected = run(noisy_line(), tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run(noisy_line(), tmp_path / "broken", [interruption(epoch)])
    assert_equal(run(noisy_line(seed=9), tmp_path / "broken"), expected)


def test_state_is_saved_once_and_under_the_names_of_groups(noisy_line, tmp_path):
    model = noisy_line()
    model.compile(parts(model))
    model.optimizer.build(model.trainable_variables)
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert list(file["optimizer"]) == ["vars"]
        saved = file["optimizer/vars"]
        assert len(saved) == len(model.optimizer.variables)
        assert {key.partition(".")[0] for key in saved} == {"bias", "default"}


def test_state_of_other_groups_is_refused(noisy_line, tmp_path):
    saved, other = noisy_line(), noisy_line()
    for model, optimizer in ((saved, parts(saved)), (other, Grouped({}, Adam()))):
        model.compile(optimizer)
        model.optimizer.build(model.trainable_variables)
    saved.save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match=r"\['bias', 'default'\]. Build it with the groups that"):
        other.load_weights(tmp_path / "model.weights.h5")


def test_a_loaded_model_goes_on_where_it_was_saved(tmp_path):
    inputs = keras.Input((64,))
    hidden = keras.layers.Dense(3)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden(inputs)))
    optimizer = Grouped({"hidden": (hidden, SGD(CosineDecay(0.1, 9)))}, Adam(0.01), name="two")
    model.compile(optimizer, "mse", jit_compile=BACKEND == "jax")
    model.fit(OBSERVATIONS, TARGETS, 8, verbose=0, shuffle=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == optimizer.get_config()
    for each in (model, loaded):
        each.fit(OBSERVATIONS, TARGETS, 8, verbose=0, shuffle=False)
    assert_equal(loaded.get_weights(), model.get_weights())


def test_state_follows_the_names_of_groups_and_not_their_order(noisy_line, tmp_path):
    def compiled(*names):
        model = noisy_line()
        groups = {name: ([getattr(model.dense, name)], SGD(0.1, momentum=0.5)) for name in names}
        model.compile(Grouped(groups, Adam()))
        model.optimizer.build(model.trainable_variables)
        return model, {name: optimizer for name, (_, optimizer) in groups.items()}

    saved, optimizers = compiled("kernel", "bias")
    optimizers["bias"].iterations.assign(3)
    saved.save_weights(tmp_path / "model.weights.h5")
    loaded, optimizers = compiled("bias", "kernel")
    loaded.load_weights(tmp_path / "model.weights.h5")
    assert [int(optimizers[name].iterations) for name in ("kernel", "bias")] == [0, 3]
