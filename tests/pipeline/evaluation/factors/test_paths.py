"""Paths between two codes of a block, with a code whose every block is a band of pixels."""

import numpy as np
import pytest
from letters import NAMES, letters_bundle, letters_config, letters_data

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.factors.paths import (
    PLACES,
    draw_ends,
    measure_paths,
    steady_share,
    walk,
)


@pytest.fixture
def codec():
    return Codec(load_bundle(letters_bundle()))


@pytest.fixture(scope="module")
def examples():
    return DatasetDir.open(letters_data()).read("train")


def values(codec, examples):
    found = measure_paths(codec, examples, letters_config())
    return {measure.name: measure.value for measure in found}


def test_a_path_leads_from_one_code_to_that_of_an_example_of_another_value(codec, examples):
    starts, ends = draw_ends(examples, "ink", 0)
    assert (examples.factors["ink"][starts] != examples.factors["ink"][ends]).all()
    latents = codec.encode(examples.observations)
    paths = walk(codec, examples, latents, ("ink", "ink"), (starts, ends))
    assert paths.observations.shape == (len(PLACES), len(starts), 8, 8, 1)
    np.testing.assert_array_equal(paths.observations[0], examples.observations[starts])
    rows, others = slice(2, 4), [0, 1, 4, 5, 6, 7]
    np.testing.assert_array_equal(
        paths.observations[-1][:, rows], examples.observations[ends][:, rows]
    )
    np.testing.assert_array_equal(
        paths.observations[-1][:, others], examples.observations[starts][:, others]
    )


def test_a_code_that_is_split_keeps_the_others_and_goes_straight(codec, examples):
    found = values(codec, examples)
    for name in NAMES:
        assert found[f"Path of {name}: other factors kept"] == 1.0
        assert found[f"Path of {name}: steps towards the end"] == 1.0
        assert found[f"Path of {name}: shift of other blocks"] == 0.0


def test_what_reaches_another_block_on_the_way_is_seen(codec, examples, monkeypatch):
    render = codec.render_factors

    def leaky(codes):
        return render({**codes, "back": (codes["back"] + codes["ink"]) % 240})

    monkeypatch.setattr(codec, "render_factors", leaky)
    found = values(codec, examples)
    assert found["Path of ink: other factors kept"] < 0.8
    assert found["Path of ink: shift of other blocks"] > 0.05
    assert found["Path of label: shift of other blocks"] == 0.0


def test_steps_back_are_counted():
    there = np.array([0, 1, 2, 1, 4, 5])[:, None] * np.ones((1, 3))
    assert steady_share(there) == pytest.approx(4 / 5)
    assert steady_share(np.zeros((6, 3))) == 0.0
