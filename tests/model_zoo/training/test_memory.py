"""A process that trains network after network keeps neither their examples nor their graphs."""

import gc
import weakref

import keras
import numpy as np
import pytest

from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.training.classifier import fit_classifier
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

SCHEDULE = Schedule(epochs=1, batch_size=8)


def examples() -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(32) % 4
    return np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), np.uint8), labels


def train_classifier(data, folder):
    fit_classifier(data, 4, SCHEDULE, width=2)


def train_model(data, folder):
    model = build_model("zszu_vae", {"zs_dim": 2, "zu_dim": 2, "hidden_dim": 4}, (8, 8, 1), 4)
    fit(model, data, examples(), SCHEDULE, folder)


@pytest.fixture(params=[train_classifier, train_model])
def train(request, tmp_path):
    """Trains once on some examples, in a folder of its own."""
    return lambda data, name: request.param(data, tmp_path / name)


def test_a_training_lets_go_of_its_examples(train):
    data = examples()
    kept = weakref.ref(data[0])
    train(data, "once")
    del data
    gc.collect()
    assert kept() is None


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="graphs of TensorFlow")
def test_a_training_lets_go_of_its_graphs(train):
    import tensorflow as tf

    def graphs() -> int:
        gc.collect()
        return sum(issubclass(type(each), tf.Graph) for each in gc.get_objects())

    train(examples(), "first")
    before = graphs()
    for name in ("second", "third"):
        train(examples(), name)
    assert graphs() <= before
