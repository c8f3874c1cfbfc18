"""The central claim, where the answer is known: a linear auto-encoder finds the principal axes.

With noise relative to the codes, the split loss is least where the axes of the code are those of
the data and their standard deviations go with the square roots of those of the data.
"""

import keras
import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.networks.subspace import Subspace
from latentloom.model_zoo.optimizers import CayleyAdam, Grouped
from latentloom.model_zoo.st_rkm.losses import add_noise
from latentloom.model_zoo.st_rkm.settings import StRKMSettings

SCALES = np.array([3.0, 2.2, 1.6, 1.1])
DIM, FEATURE_DIM, DATA_DIM = 4, 12, 20


class LinearMachine(keras.Model):
    """The Stiefel-Restricted Kernel Machine with linear networks without biases."""

    def __init__(self, form):
        super().__init__()
        self.form = form
        self.encoder = keras.layers.Dense(FEATURE_DIM, use_bias=False)
        self.decoder = keras.layers.Dense(DATA_DIM, use_bias=False)
        self.subspace = Subspace(FEATURE_DIM, DIM)
        self.settings = StRKMSettings(noise=0.1, relative_noise=True)
        self.noise_source = keras.random.SeedGenerator(0)
        self.encoder.build((None, DATA_DIM))
        self.decoder.build((None, FEATURE_DIM))
        self.built = True

    def call(self, x, training=False):
        centred = self.subspace.centre(self.encoder(x), training)
        codes = self.subspace.project(centred)
        clean = self.decoder(self.subspace.lift(codes))
        error = ops.mean(ops.sum(ops.square(x - clean), axis=-1))
        if self.form == "split":
            noisy = self.decoder(
                self.subspace.lift(add_noise(self.settings, self.noise_source, codes))
            )
            error += ops.mean(ops.sum(ops.square(clean - noisy), axis=-1))
        return 0.5 * error + self.subspace.error(centred, codes)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return y_pred


@pytest.fixture(scope="module")
def data():
    """Data with four strong axes over a floor, and the axes."""
    generator = np.random.default_rng(0)
    axes, _ = np.linalg.qr(generator.normal(size=(DATA_DIM, DATA_DIM)))
    scales = np.concatenate([SCALES, np.full(DATA_DIM - DIM, 0.15)])
    values = (generator.normal(size=(2000, DATA_DIM)) * scales) @ axes.T
    return values.astype(np.float32), axes[:, :DIM]


def trained(form, values, seed):
    keras.utils.set_random_seed(seed)
    model = LinearMachine(form)
    steps = 9000
    rates = [
        keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.01) for rate in (3e-3, 1e-2)
    ]
    groups = {"subspace": ([model.subspace.basis], CayleyAdam(rates[1]))}
    model.compile(Grouped(groups, keras.optimizers.Adam(rates[0])), jit_compile=False)
    rows = np.random.default_rng(seed).integers(len(values), size=(steps * 250))
    model.fit(values[rows], np.zeros(len(rows)), batch_size=250, shuffle=False, verbose=0)
    model.subspace.settle([model.encoder(values)])
    return model


def columns(model):
    """What the decoder makes of each axis, `(data, dim)`."""
    return np.asarray(model.decoder(model.subspace.lift(np.eye(DIM, dtype=np.float32)))).T


def overlaps(found):
    """Mean absolute cosine of pairs of columns."""
    unit = found / np.linalg.norm(found, axis=0)
    return np.abs(unit.T @ unit)[np.triu_indices(DIM, 1)].mean()


def reconstruction_error(model, values):
    centred = model.subspace.centre(model.encoder(values))
    decoded = np.asarray(model.decoder(model.subspace.lift(model.subspace.project(centred))))
    return np.square(values - values.mean(axis=0) - decoded).sum(axis=1).mean()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_relative_split_loss_finds_the_axes_of_the_data(data, seed):
    values, axes = data
    model = trained("split", values, seed)
    found = columns(model)
    assert overlaps(found) < 0.02
    unit = found / np.linalg.norm(found, axis=0)
    assert np.abs((unit * axes).sum(axis=0)).min() > 0.99
    scale = np.sqrt(np.asarray(model.subspace.variance))
    expected = np.sqrt((values @ axes).std(axis=0))
    np.testing.assert_allclose(scale / scale[0], expected / expected[0], rtol=0.03)
    control = trained("deterministic", values, seed)
    error = reconstruction_error(model, values)
    assert error < 1.02 * reconstruction_error(control, values)
    assert overlaps(columns(control)) > 0.02
