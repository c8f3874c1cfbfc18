"""The residual classifier: its shapes, and that all of it learns."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.networks.classifier import (
    _thinned,
    auditing_classifier,
    residual_classifier,
)


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 9, 3)])
def test_the_residual_classifier_halves_twice_and_ends_in_logits(shape):
    network = residual_classifier(shape, 7, width=4)
    images = keras.random.uniform((5, *shape), -1, 1, seed=0)
    assert network(images).shape == (5, 7)
    sides = {
        tuple(layer.output.shape[1:3]) for layer in network.layers if layer.name.startswith("add")
    }
    halves = [shape[:2], *([-(-side // 2**k) for side in shape[:2]] for k in (1, 2))]
    assert sides == {tuple(side) for side in halves}


def test_both_paths_of_a_residual_block_are_learnt():
    network = residual_classifier((8, 8, 1), 3, width=4)
    images = keras.random.uniform((6, 8, 8, 1), -1, 1, seed=0)
    network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [np.asarray(v) for v in network.trainable_variables]
    network.fit(images, np.arange(6) % 3, verbose=0)
    for old, new in zip(before, network.trainable_variables, strict=True):
        assert not np.array_equal(old, np.asarray(new)), new.path


@pytest.mark.parametrize("shape", [(128, 128, 3), (160, 112, 1), (256, 256, 3)])
@pytest.mark.parametrize("width", [8, 16])
def test_narrow_auditors_of_large_images_learn(shape, width):
    """TensorFlow 2.21 ended with a segmentation fault here."""
    network = auditing_classifier(shape, 3, width=width)
    before = [np.array(weight) for weight in network.trainable_weights]
    images = np.random.default_rng(0).uniform(-1, 1, (8, *shape)).astype(np.float32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("sgd", loss, jit_compile=False)
    network.train_on_batch(images, np.arange(8) % 3)
    moved = [
        np.any(np.asarray(new) != old)
        for new, old in zip(network.trainable_weights, before, strict=True)
    ]
    assert np.mean(moved) > 0.9


@pytest.mark.parametrize("shape", [(16, 16, 3), (17, 22, 1)])
def test_a_shortcut_takes_every_second_pixel(shape):
    images = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype(np.float32)
    np.testing.assert_array_equal(_thinned(images, 2), images[:, ::2, ::2])
    np.testing.assert_array_equal(_thinned(images, 1), images)
