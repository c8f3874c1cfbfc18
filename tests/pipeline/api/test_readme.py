"""The examples of the pages on use in a program run as they stand."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[3] / "pipeline"
PAGE = PIPELINE / "README.md"
MOST_LINES = 15
PRINTED = {"keras": "accuracy", "grain": "(64, 8, 8, 1) (64,)", "datasets": "(8, 8) "}
"""What the example of each library prints."""


def examples(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


OTHERS = {
    library: code
    for code in examples(PIPELINE / "api" / "README.md")
    for library in ("keras", "grain", "torch", "datasets")
    if re.search(rf"^(import|from) {library}\b", code, re.MULTILINE)
}


def test_the_example_keeps_the_class_of_its_images(folder):
    (code,) = [code for code in examples(PAGE) if "load_bundle" in code]
    names = {}
    exec(compile(code, PAGE.name, "exec"), names)
    assert names["variants"].shape == names["images"].shape == (4, 8, 8, 1)
    assert (names["sure"] > 0.1).all()


def test_there_is_an_example_for_each_library():
    assert sorted(OTHERS) == ["datasets", "grain", "keras", "torch"]
    assert max(len(code.splitlines()) for code in OTHERS.values()) <= MOST_LINES


@pytest.mark.parametrize("library", PRINTED)
def test_the_example_of_a_library_runs(folder, library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"needs {library}")
    assert PRINTED[library] in printed_by(OTHERS[library])


STANDS_FOR_TORCH = """
def RandomSampler(source):
    return np.random.default_rng(0).permutation(len(source)).tolist()

def DataLoader(source, size, sampler, collate_fn):
    yield collate_fn([source[row] for row in sampler[:size]])
"""


def test_the_example_of_pytorch_runs_as_far_as_it_is_ours(folder):
    """PyTorch asks a data set for its length and its items; no lock of ours has it."""
    pytest.importorskip("array_record")
    code = OTHERS["torch"]
    if importlib.util.find_spec("torch") is None:
        code = re.sub(r"^from torch.*\n", STANDS_FOR_TORCH, code, flags=re.MULTILINE)
    assert "(64, 8, 8, 1) (64,)" in printed_by(code)


def printed_by(code):
    """What a program prints that is run in the working folder."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
