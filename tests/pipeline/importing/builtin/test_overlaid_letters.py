import json

import numpy as np
import pytest
from typer.testing import CliRunner

from latentloom.pipeline.command.options import app
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.importing.overlays import OVERLAYS


def opened(*overlays, **options):
    return open_source("builtin:letters", overlays=overlays, **options)


@pytest.fixture(scope="module")
def letters() -> Examples:
    source = opened("frame", "bar", max_examples=3000)
    return Examples.concatenate([examples for examples, _ in source.batches("train")])


def test_overlays_are_factors_present_in_half_the_images_of_every_letter(letters):
    source = opened("frame", "bar")
    assert list(source.factors) == ["label", "frame", "bar"]
    assert source.factors["bar"] == ["none", "present"]
    assert sum(source.splits.values()) == 20_000
    cells = np.stack([letters.factors[name] for name in source.factors])
    counts = np.unique(cells, axis=1, return_counts=True)[1]
    assert len(counts) == 40
    assert counts.min() > 35


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_has_one_colour_of_its_own_where_it_is_present(letters, name):
    mask = OVERLAYS[name](32, 32)
    shown = letters.observations[:, mask].astype(int)
    is_flat = np.ptp(shown, axis=1).max(axis=1) == 0
    present = letters.factors[name] == 1
    assert is_flat[present].all()
    assert (shown[present].max(axis=(1, 2)) == 255).all()
    assert shown[~present].max() < 255
    colours = np.unique(shown[present][:, 0], axis=0)
    assert len(colours) > 0.5 * min(present.sum(), 1000)


def test_overlays_leave_the_letter_alone(letters):
    covered = OVERLAYS["frame"](32, 32) | OVERLAYS["bar"](32, 32)
    inside = letters.observations.astype(int)
    ground = inside[:, 3, 3]
    is_letter = np.abs(inside - ground[:, None, None]).max(axis=-1) > 40
    assert not is_letter[letters.factors["frame"] + letters.factors["bar"] == 0][:, covered].any()
    assert is_letter[:, ~covered].any(axis=1).all()


def test_the_sample_does_not_change_and_is_part_of_a_larger_one():
    first, second = (next(opened("bar", max_examples=200).batches("train"))[0] for _ in range(2))
    np.testing.assert_array_equal(first.observations, second.observations)
    larger = next(opened("bar", max_examples=400).batches("train"))[0]
    assert set(first.ids) <= set(larger.ids)
    assert list(first.factors) == ["label", "bar"]


def test_images_of_64_pixels_have_overlays_of_twice_the_width():
    images = next(opened("frame", image_size=64, max_examples=100).batches("train"))[0]
    framed = images.observations[images.factors["frame"] == 1]
    assert (np.ptp(framed[:, :4].astype(int), axis=(1, 2)) == 0).all()


def test_a_smaller_sample_than_values_is_refused():
    with pytest.raises(ValueError, match="Expected: at least .* Raise it"):
        opened("bar", max_examples=5)


def test_the_command_imports_overlays_and_writes_down_which(tmp_path):
    line = ["import", "builtin:letters", str(tmp_path / "out"), "--overlays", "frame,bar"]
    done = CliRunner().invoke(app, [*line, "--max-examples", "60"], catch_exceptions=False)
    assert done.exit_code == 0
    manifest = DatasetDir.open(tmp_path / "out").manifest
    assert list(manifest.factors) == ["label", "frame", "bar"]
    assert json.loads(manifest.model_dump_json())["source"]["overlays"] == ["frame", "bar"]
