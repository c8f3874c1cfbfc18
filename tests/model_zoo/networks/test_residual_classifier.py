"""The residual classifier: its shapes, and that all of it learns."""

import keras
import numpy as np
import pytest

from latentloom.model_zoo.networks.classifier import residual_classifier


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
