"""The examples of the page and of the docstrings run, and give what they show."""

import doctest
import re
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
from bundles import digits_bundle, digits_data, make
from own_pipelines import records_of

import latentloom
from latentloom.pipeline.generation.engines import make_runner

PAGE = Path(__file__).parents[3] / "pipeline" / "beam_transforms" / "README.md"
MOST_LINES = 15


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the data set `data` and the bundle `bundle`."""
    (tmp_path / "data").symlink_to(digits_data())
    (tmp_path / "bundle").symlink_to(digits_bundle())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_of_the_page_makes_the_variants_of_generate(folder):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(code.splitlines()) <= MOST_LINES
    exec(compile(code, PAGE.name, "exec"), {})
    files = sorted(map(str, folder.glob("variants/swapped*")))
    found = sorted(tf.data.TFRecordDataset(files).as_numpy_iterator())
    make(folder / "out", "generate.recipe=swap_zu", "generate.variants_per_example=2")
    assert found == sorted(records_of(folder / "out"))
    assert not "".join(path.read_text() for path in folder.glob("variants/bad*"))


@pytest.mark.parametrize("name", latentloom.beam.__all__)
def test_the_example_of_a_transform_runs(folder, name):
    names = {"latentloom": latentloom, "beam": beam, "runner": make_runner("FnApiRunner")}
    transform = getattr(latentloom.beam, name)
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    (test,) = finder.find(transform, name, globs=names)
    assert test.examples
    runner.run(test)
    assert runner.summarize().failed == 0
