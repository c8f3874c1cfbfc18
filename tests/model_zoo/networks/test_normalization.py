"""The fused batch normalisation is Keras' layer: outputs, gradients and moving statistics."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.networks.normalization import FusedBatchNormalization

IMAGES = np.random.default_rng(0).normal(2.0, 3.0, size=(6, 5, 4, 3)).astype("float32")
ARGUMENTS = {
    "momentum": 0.9,
    "gamma_initializer": keras.initializers.RandomUniform(0.5, 2.0, seed=1),
    "beta_initializer": keras.initializers.RandomUniform(-1.0, 1.0, seed=2),
}


@pytest.fixture
def layers():
    """Our layer and Keras', with equal variables."""
    made = FusedBatchNormalization(**ARGUMENTS), keras.layers.BatchNormalization(**ARGUMENTS)
    for layer in made:
        layer.build(IMAGES.shape)
    return made


def assert_same(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(
        *(keras.ops.convert_to_numpy(x) for x in (ours, theirs)), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("training", [False, True])
def test_outputs_and_moving_statistics(layers, training):
    for _ in range(3):
        ours, theirs = (layer(IMAGES, training=training) for layer in layers)
        assert_same(ours, theirs)
    for mine, other in zip(*(layer.weights for layer in layers), strict=True):
        assert_same(mine, other)
    moved = np.abs(layers[0].moving_mean.numpy()).max() > 0.1
    assert moved == training


def test_gradients(layers, gradients_of):
    weights = np.random.default_rng(1).normal(size=IMAGES.shape).astype("float32")
    ours, theirs = (
        gradients_of(
            lambda layer=layer: keras.ops.sum(weights * layer(IMAGES, training=True)),
            layer.trainable_variables,
        )
        for layer in layers
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert_same(mine, other, 1e-4)
    assert max(np.abs(g).max() for g in ours) > 0.1


def test_a_frozen_layer_keeps_its_statistics(layers):
    for layer in layers:
        layer.trainable = False
    assert_same(*(layer(IMAGES, training=True) for layer in layers))
    np.testing.assert_array_equal(layers[0].moving_mean.numpy(), 0.0)
