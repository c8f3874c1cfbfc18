"""The examples in the docstrings of the Python face run, and give what they show."""

import doctest

import numpy as np
import pytest

import latentloom

FUNCTIONS = [name for name in latentloom.__all__ if name[0].islower() and name != "load"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_a_function_runs(folder, name):
    run_examples(getattr(latentloom, name), name)


def test_the_examples_of_a_bundle_run(folder):
    run_examples(latentloom.LoadedBundle, "LoadedBundle")


def test_the_example_of_the_layer_runs(folder):
    run_examples(latentloom.keras.LatentAugmentation, "LatentAugmentation")


def run_examples(documented, name):
    """Runs the examples of an object; all of them must give what they show."""
    names = {"latentloom": latentloom, "np": np}
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    tests = [test for test in finder.find(documented, name, globs=names) if test.examples]
    assert tests
    for test in tests:
        runner.run(test)
    assert runner.summarize().failed == 0
