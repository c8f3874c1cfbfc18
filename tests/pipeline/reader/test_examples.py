"""The examples of the README for downstream training run as they stand."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import digits_data, make

README = Path(__file__).parents[3] / "README.md"
EXAMPLES = {
    name: code
    for code in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    for name in re.findall(r"^import (\w+)", code, re.MULTILINE)[:1]
}

PRINTED = {"jax": ", 8, 8, 1)", "keras": "val_accuracy", "torch": "torch.Size([64, 1, 8, 8])"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the examples name: `runs/mnist` and `runs/variants`."""
    folder = tmp_path_factory.mktemp("examples")
    make(folder / "runs" / "variants", "generate.gate.min_confidence=0.5")
    (folder / "runs" / "mnist").symlink_to(digits_data())
    return folder


def test_there_is_one_for_each_kind_of_user():
    assert sorted(EXAMPLES) == ["jax", "keras", "torch"]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_it_runs(name, folder):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}")
    done = subprocess.run(
        [sys.executable, "-c", EXAMPLES[name]], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert PRINTED[name] in done.stdout
