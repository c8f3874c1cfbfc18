"""One source, two backends: what one trains, the other reads."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from bundles import digits_bundle, digits_data

from latentloom.model_zoo.bundle import load_bundle
from latentloom.model_zoo.scaling import PIXELS
from latentloom.pipeline.command import main
from latentloom.pipeline.dataset.directory import DatasetDir

ENCODE_ON_JAX = """
import sys
import keras, numpy as np
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec

assert keras.backend.backend() == "jax"
images = np.load(sys.argv[2])
codec = Codec(load_bundle(sys.argv[1]))
latents = codec.encode(images)
rendered, probabilities = codec.render(latents)
print(codec.sample_posterior(images, 1)["zu"].std() > 0)
np.savez(sys.argv[3], rendered=rendered, probabilities=probabilities, **latents)
"""

SETTINGS = [
    *("--set", "model.args.hidden_dim=32", "--set", "train.epochs=2", "--set", "judge.epochs=8"),
    *("--set", "evaluate.probe_examples=100", "--set", "evaluate.anchors=20"),
    *("--set", "generate.gate.min_confidence=0", "--set", "evaluate.accuracy_steps=0"),
]


def on_jax(*command):
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def jax_bundle(tmp_path_factory):
    """A bundle that the command trained on JAX, with its configuration."""
    folder = tmp_path_factory.mktemp("jax")
    config = folder / "config.yaml"
    config.write_text("model: {name: zszu_vae}\n")
    verb = ("-m", "latentloom.pipeline.command", "train", config, "--data", digits_data())
    on_jax(*verb, "--out", folder / "bundle", *SETTINGS)
    return folder / "bundle", config


def test_the_pipeline_reads_what_jax_trained(jax_bundle, tmp_path, monkeypatch):
    bundle, config = jax_bundle
    files = ("--data", digits_data(), "--model", bundle, "--out", tmp_path / "variants")
    arguments = ["latentloom", "generate", config, *files, *SETTINGS]
    monkeypatch.setattr(sys, "argv", [str(argument) for argument in arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    assert DatasetDir.open(tmp_path / "variants").manifest.num_examples("train") > 0


def test_the_bundle_says_which_backend_trained_it(jax_bundle):
    description = json.loads((jax_bundle[0] / "bundle.json").read_text())
    assert description["details"]["backend"] == "jax"
    assert "jax" in description["details"]["versions"]


def test_both_backends_encode_and_render_alike(tmp_path):
    images = DatasetDir.open(digits_data()).read("train", 70).loaded().observations
    np.save(tmp_path / "images.npy", images)
    code = ("-c", ENCODE_ON_JAX, digits_bundle(), tmp_path / "images.npy", tmp_path / "jax.npz")
    assert on_jax(*code).split() == ["True"]
    model = load_bundle(digits_bundle()).model
    latents = model.encode(PIXELS.to_model(images.astype(np.float32), model.value_range))
    with np.load(tmp_path / "jax.npz") as found:
        for block, code in latents.items():
            np.testing.assert_allclose(found[block], code, rtol=1e-3, atol=1e-4)
        decoded = np.asarray(model.decode(latents))
        assert np.abs(found["rendered"] - (decoded + 1) * 127.5).max() < 1.1
        np.testing.assert_allclose(found["probabilities"].sum(axis=-1), 1, rtol=1e-5)
