"""Cayley Adam in `fit`, beside another optimizer: broken off, loaded, on two devices."""

import keras
import numpy as np
import pytest
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from latentloom.model_zoo.networks.stiefel import (
    OrthonormalColumns,
    check_on_manifold,
    stiefel_defect,
)
from latentloom.model_zoo.optimizers import CayleyAdam, FusedAdam, Grouped
from latentloom.model_zoo.training.checkpoints import Checkpoints

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(0)
OBSERVATIONS = (RNG.normal(size=(80, 3)) @ RNG.normal(size=(3, 12))).astype("float32")

TRAIN = """
import json
import keras
import numpy as np
from latentloom.model_zoo.backend.devices import num_replicas, placement, uses_xla
from latentloom.model_zoo.optimizers import CayleyAdam, Grouped
from latentloom.model_zoo.networks.stiefel import OrthonormalColumns, stiefel_defect

def train(devices):
    with placement(devices):
        plane = keras.layers.Dense(3, kernel_initializer=OrthonormalColumns(seed=0))
        line = keras.layers.Dense(1, kernel_initializer="ones")
        model = keras.Sequential([keras.Input((5,)), plane, line])
        cayley = CayleyAdam(0.1, orthonormalize_every=5)
        optimizer = Grouped({"plane": ([plane.kernel], cayley)}, keras.optimizers.Adam(0.02))
        model.compile(optimizer, "mse", jit_compile=uses_xla())
        x = np.linspace(0, 1, 160, dtype="float32").reshape(32, 5)
        model.fit(x, x.sum(axis=1, keepdims=True), 8, epochs=3, shuffle=False, verbose=0)
        state = [np.asarray(weight).tolist() for weight in model.get_weights()]
        return state, float(stiefel_defect(plane.kernel)), num_replicas()

print(json.dumps([train(1), train(2)]))
"""


class Subspace(keras.Model):
    """Learns features and the plane, spanned by `U`, in which they are passed on."""

    def __init__(self, seed):
        super().__init__()
        keras.utils.set_random_seed(seed)
        self.encoder, self.decoder = keras.layers.Dense(8), keras.layers.Dense(12)
        self.subspace = self.add_weight(
            shape=(8, 3), initializer=OrthonormalColumns(seed=seed), name="U"
        )
        self.encoder.build((None, 12))
        self.decoder.build((None, 8))
        self.built = True

    def call(self, observations):
        codes = keras.ops.matmul(self.encoder(observations), self.subspace)
        return self.decoder(keras.ops.matmul(codes, keras.ops.transpose(self.subspace)))


def compiled(optimizer, default, seed=0, jit_compile=BACKEND == "jax"):
    model = Subspace(seed)
    groups = {"subspace": ([model.subspace], optimizer)}
    model.compile(Grouped(groups, default), "mse", jit_compile=jit_compile)
    return model


def fitted(model, epochs=1, **settings):
    model.fit(OBSERVATIONS, OBSERVATIONS, 8, epochs=epochs, shuffle=False, verbose=0, **settings)
    return model


def assert_equal(values, expected):
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_array_equal(value, other)


def cayley():
    """With a schedule, and mended at steps that no epoch ends with."""
    return CayleyAdam(CosineDecay(0.1, 30), orthonormalize_every=7)


@pytest.mark.parametrize("jit_compile", [True] if BACKEND == "jax" else [False, True])
@pytest.mark.parametrize("default", [Adam, FusedAdam])
def test_a_model_learns_while_its_matrix_stays_on_the_manifold(default, jit_compile):
    model = compiled(CayleyAdam(0.05), default(0.01), jit_compile=jit_compile)
    start = model.subspace.numpy()
    history = model.fit(OBSERVATIONS, OBSERVATIONS, 8, epochs=12, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]
    assert np.abs(model.subspace.numpy() - start).max() > 0.05
    check_on_manifold(model.subspace, "U")


def test_adam_alone_takes_the_matrix_off_the_manifold():
    model = Subspace(0)
    model.compile(Adam(0.01), "mse", jit_compile=BACKEND == "jax")
    fitted(model, epochs=12)
    with pytest.raises(ValueError, match="'U' has left the Stiefel manifold"):
        check_on_manifold(model.subspace, "U")


@pytest.mark.slow
def test_two_devices_learn_what_one_learns(on_two_devices):
    (one, *_), (two, defect, replicas) = on_two_devices(TRAIN)
    assert replicas == 2
    assert defect < 1e-6
    for alone, shared in zip(one, two, strict=True):
        np.testing.assert_allclose(shared, alone, rtol=1e-4, atol=1e-5)


def test_a_broken_run_ends_as_an_unbroken_one(interruption, tmp_path):
    def run(folder, callbacks=(), seed=0):
        model = compiled(cayley(), Adam(0.01), seed)
        checkpoints = Checkpoints(folder, "loss", patience=0)
        checkpoints.restore(model)
        done = checkpoints.next_epoch
        fitted(model, 3, initial_epoch=done, callbacks=[checkpoints, *callbacks])
        return [*model.get_weights(), *(each.numpy() for each in model.optimizer.variables)]

    expected = run(tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", [interruption(0)])
    assert_equal(run(tmp_path / "broken", seed=9), expected)


def test_a_loaded_model_goes_on_where_it_was_saved(tmp_path):
    inputs = keras.Input((12,))
    head = keras.layers.Dense(3, kernel_initializer=OrthonormalColumns(seed=1), use_bias=False)
    model = keras.Model(inputs, keras.layers.Dense(12)(head(inputs)))
    grouped = Grouped({"head": (head, cayley())}, Adam(0.01))
    model.compile(grouped, "mse", jit_compile=BACKEND == "jax")
    fitted(model).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert_equal(fitted(loaded).get_weights(), fitted(model).get_weights())
    assert float(stiefel_defect(loaded.layers[1].kernel)) < 1e-5


def test_a_matrix_damaged_in_a_checkpoint_is_refused_with_its_defect(tmp_path):
    model, other = compiled(cayley(), Adam(0.01)), compiled(cayley(), Adam(0.01))
    model.subspace.assign(1.5 * model.subspace)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match=r"'U' has left .* Received: 2\.17\. Load another"):
        check_on_manifold(other.subspace, "U")
