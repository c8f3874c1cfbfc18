"""Weights are written whole, or not at all and with a clear reason."""

import shutil
from collections import namedtuple

import keras
import numpy as np
import pytest

from latentloom.model_zoo.backend.weights import save_weights


def network() -> keras.Sequential:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def test_what_is_saved_loads_again_and_leaves_no_temporary_file(tmp_path):
    saved, loaded = network(), network()
    save_weights(saved, tmp_path / "a.weights.h5")
    loaded.load_weights(tmp_path / "a.weights.h5")
    for one, other in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [path.name for path in tmp_path.iterdir()] == ["a.weights.h5"]


def test_a_full_disk_is_refused_before_hdf5_crashes_on_it(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 1))
    with pytest.raises(OSError, match="Free some space"):
        save_weights(network(), tmp_path / "a.weights.h5")
    assert not list(tmp_path.iterdir())


def test_equal_weights_give_equal_bytes_however_many_layers_the_process_has_made(tmp_path):
    paths = [tmp_path / "one.weights.h5", tmp_path / "two.weights.h5"]
    for path in paths:
        keras.utils.set_random_seed(0)
        network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        network.compile("adam", "mse")
        network.optimizer.build(network.trainable_variables)
        save_weights(network, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
