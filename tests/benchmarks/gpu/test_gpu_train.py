"""The training of a GPU machine runs here too, on a CPU, for its smoke settings."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from latentloom.pipeline.importing.import_dataset import import_dataset

ROOT = Path(__file__).parents[3]
GIVEN = {"KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT / ".src")}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_a_configuration_is_trained_from_shards_and_read_by_tensorflow(tmp_path):
    data, out, figures = (tmp_path / name for name in ("digits", "out", "figures.json"))
    import_dataset("builtin:digits", data)
    out.mkdir()
    config = ROOT / "configs" / "zszu_digits.yaml"
    words = ["--config", str(config), "--data", str(data), "--out", str(out), "--smoke"]
    run("train.py", *words, "--figures", str(figures))
    found = json.loads(figures.read_text())
    assert set(found["input"]) == {"shards", "a file of raw images", "memory"}
    assert min(found["input"].values()) > 0 < found["training"]["steps_per_epoch"]
    assert {"variants", "split", "rates", "probe_seconds"} <= set(found)
    assert "code zs" in run("check.py", str(out), KERAS_BACKEND="tensorflow")


def run(script: str, *words: str, **environment: str) -> str:
    """Runs a script beside this file; returns what it prints."""
    line = [sys.executable, str(Path(__file__).with_name(script)), *words]
    environment = os.environ | GIVEN | environment
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
