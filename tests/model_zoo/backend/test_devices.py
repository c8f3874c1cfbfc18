import logging

import keras
import pytest

from latentloom.model_zoo.backend import devices
from latentloom.model_zoo.backend.devices import (
    accelerators,
    num_replicas,
    placement,
    replica_share,
    uses_xla,
    warn_of_idle_accelerators,
)
from latentloom.model_zoo.networks.encoder_decoder import classifier_head
from latentloom.model_zoo.registry import MODELS

BACKEND = keras.backend.backend()

TRAIN = """
import json, pathlib, sys
from sklearn.datasets import load_digits
import keras
import numpy as np
from latentloom.model_zoo.backend.devices import num_replicas, placement
from latentloom.model_zoo.registry import build_model
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule

images, labels = load_digits(return_X_y=True)
times = 2 if sys.argv[1] == "drit" else 1  # it needs larger images
images = (images * 15).astype("uint8").reshape(-1, 8, 8, 1).repeat(times, 1).repeat(times, 2)
factors = {"label": labels, "mark": np.arange(len(labels)) % 2}
folds = [
    (images[part], {name: values[part] for name, values in factors.items()})
    for part in (slice(301), slice(301, 402))
]
arguments = {} if sys.argv[1] == "elegant" else {"hidden_dim": 8}

def train(devices):
    with placement(devices):
        keras.utils.set_random_seed(0)
        sizes = {"label": 10, "mark": 2}
        model = build_model(sys.argv[1], arguments, images.shape[1:], 10, factor_sizes=sizes)
        folder = pathlib.Path(sys.argv[2]) / str(devices)
        history = fit(model, *folds, Schedule(epochs=1, batch_size=33), folder)
        return {"history": history, "replicas": num_replicas()}

print(json.dumps([train(devices) for devices in (1, 2)]))
"""


@pytest.fixture
def two_accelerators(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0", "gpu:1"])


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n == "zszu_vae" else pytest.mark.slow) for n in sorted(MODELS)],
)
def test_two_devices_learn_what_one_learns(on_two_devices, name, tmp_path):
    one, two = on_two_devices(TRAIN, name, tmp_path)
    assert (one["replicas"], two["replicas"]) == (1, 2)
    for alone, shared in zip(one["history"], two["history"], strict=True):
        assert alone.keys() == shared.keys()
        for figure in ("loss", "val_loss"):
            assert shared[figure] == pytest.approx(alone[figure], rel=0.05)


def test_a_cpu_is_no_accelerator():
    assert accelerators() == []


def test_xla_compiles_on_jax_and_on_accelerators_only(monkeypatch):
    assert uses_xla() == (BACKEND == "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    assert uses_xla()


def test_one_device_has_the_whole_loss():
    assert num_replicas() == 1
    assert replica_share(3.0) == 3.0


def test_mixed_precision_computes_in_bfloat16_and_keeps_variables_and_outputs_in_float32():
    with placement(dtype_policy="mixed_bfloat16"):
        network = classifier_head(3, 2, hidden_dim=4, name="head")
    assert network.layers[0].compute_dtype == "bfloat16"
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert keras.backend.standardize_dtype(network(keras.ops.ones((1, 3))).dtype) == "float32"


def test_the_precision_is_what_it_was_afterwards():
    with pytest.raises(KeyError), placement(dtype_policy="mixed_bfloat16"):
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"


def test_too_many_devices_are_refused():
    with pytest.raises(ValueError, match=r"Expected: up to \d+ .*train\.devices=99"):
        with placement(99):
            pass


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match=r"one of float32, mixed_bfloat16.*'float16'"):
        with placement(dtype_policy="float16"):
            pass


def test_idle_accelerators_are_told_with_the_fix(two_accelerators, caplog):
    warn_of_idle_accelerators(1)
    assert "1 of 2 accelerators stay idle. Pass --set train.devices=0" in caplog.text


def test_used_accelerators_need_no_warning(two_accelerators, caplog, tmp_path):
    warn_of_idle_accelerators(0, tmp_path)
    warn_of_idle_accelerators(2, tmp_path)
    assert not caplog.records


def test_an_unseen_gpu_is_told_with_the_fix(caplog, tmp_path):
    (tmp_path / "nvidia0").touch()
    warn_of_idle_accelerators(1, tmp_path)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert devices.INSTALLATION[BACKEND] in caplog.text


def test_a_gpu_that_the_user_hid_is_not_mentioned(caplog, tmp_path, monkeypatch):
    (tmp_path / "nvidia0").touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    warn_of_idle_accelerators(1, tmp_path)
    assert not caplog.records


def test_no_gpu_no_warning(caplog, tmp_path):
    (tmp_path / "nvidiactl").touch()
    warn_of_idle_accelerators(1, tmp_path)
    assert not caplog.records
