"""The examples of the READMEs for downstream training run as they stand."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bundles import digits_data, make

ROOT = Path(__file__).parents[3]
EXAMPLES = {
    (readme, name): code
    for readme in ("README.md", "pipeline/reader/README.md")
    for code in re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
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
    reader = [name for readme, name in EXAMPLES if readme.startswith("pipeline")]
    assert sorted(reader) == ["jax", "keras", "torch"]


def test_the_front_page_has_the_first_of_them():
    assert ("README.md", "keras") in EXAMPLES


@pytest.mark.parametrize(("readme", "name"), sorted(EXAMPLES))
def test_it_runs(readme, name, folder):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs {name}")
    code = EXAMPLES[readme, name]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert PRINTED[name] in done.stdout
