"""Small data, a small grid of factors, a small model, an interruption, and two devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from latentloom.model_zoo.training.schedule import Schedule

GRID_SIZES = {"label": 4, "size": 3, "ink": 3}
"""A small grid of factors: number of values of each."""

TWO_DEVICES = """
import os
if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow as tf
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
"""


class NoisyLine(keras.Model):
    """A linear model with noise and dropout: quick to trace, and a random state to carry on."""

    value_range = (-1.0, 1.0)
    monitor = "val_error"

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        self.dropout = keras.layers.Dropout(0.3, seed=1)
        self.noise = keras.random.SeedGenerator(2)
        self.error = keras.metrics.Mean(name="error")
        self.dense.build((None, 64))
        self.built = True

    def call(self, observations, training=False):
        flat = keras.ops.reshape(observations, (-1, 64))
        return self.dropout(self.dense(flat), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total = keras.ops.sum(y_pred, axis=-1)
        error = keras.ops.mean((total - keras.ops.cast(y, "float32")) ** 2)
        self.error.update_state(error)
        return error + keras.ops.mean(y_pred * keras.random.normal((4,), seed=self.noise))


class Interruption(keras.callbacks.Callback):
    """Presses Ctrl-C at the end of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def digits():
    """Images `(n, 8, 8, 1)` uint8 and labels of the handwritten digits of scikit-learn."""
    images, labels = load_digits(return_X_y=True)
    return (images * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1), labels


@pytest.fixture(scope="session")
def folds(digits):
    """80 digits to learn from, which is no multiple of the batch size, and 40 others."""
    images, labels = digits
    return (images[:80], labels[:80]), (images[80:120], labels[80:120])


@pytest.fixture(scope="session")
def schedule():
    return Schedule(epochs=3, batch_size=32, learning_rate=3e-3)


@pytest.fixture
def noisy_line():
    """Returns a function that makes the same small model again, or another with another seed."""

    def make(seed=0):
        keras.utils.set_random_seed(seed)
        return NoisyLine()

    return make


@pytest.fixture(scope="session")
def gradients_of():
    """Returns a function that differentiates a loss by some variables, on either backend."""

    def by_tensorflow(loss, variables):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        values = [variable.value for variable in variables]
        return tape.gradient(value, values, unconnected_gradients="zero")

    def by_jax(loss, variables):
        import jax

        def at(values):
            with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
                return loss()

        return jax.grad(at)([variable.value for variable in variables])

    def differentiate(loss, variables):
        differentiate = by_jax if keras.backend.backend() == "jax" else by_tensorflow
        return [np.asarray(gradient) for gradient in differentiate(loss, variables)]

    return differentiate


@pytest.fixture(scope="session")
def on_two_devices():
    """Runs a program where there are two devices; what it prints last, read as JSON."""

    def run(program, *arguments):
        environment = {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            "KERAS_BACKEND": keras.backend.backend(),
        }
        done = subprocess.run(
            [sys.executable, "-c", TWO_DEVICES + program, *map(str, arguments)],
            check=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def interruption():
    return Interruption


@pytest.fixture(scope="session")
def sizes():
    return dict(GRID_SIZES)


@pytest.fixture(scope="session")
def grid():
    """Every cell of the grid twice, as factors."""
    cells = np.stack(np.unravel_index(np.arange(36).repeat(2), tuple(GRID_SIZES.values())), axis=1)
    return dict(zip(GRID_SIZES, cells.T, strict=True))
