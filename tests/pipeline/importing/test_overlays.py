"""Marks laid over any images: in known pixels, on half of them, whatever their class."""

import numpy as np
import pytest

from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source
from latentloom.pipeline.importing.overlays import OVERLAYS, coloured

SIDE = 8


def first_batch(source, split="train"):
    return next(iter(source.batches(split)))[0]


@pytest.fixture(scope="module")
def pairs():
    """Digits in colour, without and with marks."""
    plain = open_source("builtin:digits", channels=3)
    marked = open_source("builtin:digits", overlays=["frame", "bar"])
    return first_batch(plain), first_batch(marked)


def test_marks_are_factors_on_half_the_images_of_every_class(pairs):
    _, marked = pairs
    for name in OVERLAYS:
        for label in range(10):
            share = marked.factors[name][marked.labels == label].mean()
            assert 0.25 < share < 0.75
    both = np.corrcoef(marked.factors["frame"], marked.factors["bar"])[0, 1]
    assert abs(both) < 0.1


def test_pixels_change_where_a_mark_is_and_nowhere_else(pairs):
    plain, marked = pairs
    masks = {name: OVERLAYS[name](SIDE, SIDE) for name in OVERLAYS}
    covered = np.zeros((len(plain), SIDE, SIDE), bool)
    for name, mask in masks.items():
        covered |= mask & marked.factors[name].astype(bool)[:, None, None]
    same = marked.observations == plain.observations
    assert same[~covered].all()
    levels = marked.observations[:, masks["frame"] & ~masks["bar"]].astype(int)
    framed = marked.factors["frame"] == 1
    assert np.ptp(levels[framed], axis=1).max() == 0
    assert (levels[framed].max(axis=(1, 2)) == 255).all()
    assert len(np.unique(levels[framed][:, 0], axis=0)) > 0.5 * framed.sum()


def test_a_mark_does_not_depend_on_the_size_of_the_image_or_of_the_sample():
    small = first_batch(open_source("builtin:digits", overlays=["bar"], max_examples=200))
    large = first_batch(open_source("builtin:digits", overlays=["bar"], image_size=32))
    rows = np.flatnonzero(np.isin(large.ids, small.ids))
    np.testing.assert_array_equal(large.factors["bar"][rows], small.factors["bar"])
    masks = (OVERLAYS["bar"](SIDE, SIDE), OVERLAYS["bar"](32, 32))
    shown = small.factors["bar"] == 1
    found = small.observations[shown][:, masks[0]][:, 0]
    np.testing.assert_array_equal(large.observations[rows][shown][:, masks[1]][:, 0], found)


def test_marks_fit_images_of_any_sides():
    for sides in ((4, 4), (5, 9), (64, 48), (128, 128)):
        for mask in OVERLAYS.values():
            assert mask(*sides).shape == sides
            assert 0 < mask(*sides).mean() < 1


def test_an_imported_data_set_says_which_marks_it_has(tmp_path):
    data = import_dataset("builtin:digits", tmp_path / "out", overlays=["frame"], max_examples=60)
    assert data.manifest.source["overlays"] == ["frame"]
    assert list(data.manifest.factors) == ["label", "frame"]
    assert data.manifest.observation_shape == (8, 8, 3)


def test_hues_turn_to_the_colours_that_they_name():
    ones = np.ones(4)
    found = coloured(np.array([0, 1 / 3, 2 / 3, 1 / 6]), ones, ones)[:, 0, 0]
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("builtin:letters", {"overlays": ["frme"]}, "'frme' is no overlay.*Did you mean 'frame'"),
        ("builtin:digits", {"overlays": ["bar", "bar"]}, "named twice.*different ones"),
        ("builtin:digits", {"overlays": ["bar"], "channels": 1}, "Grey images cannot.*--channels"),
        ("builtin:letters", {"overlays": ["bar"], "channels": 1}, "Grey images cannot.*--channels"),
        ("builtin:moons", {"overlays": ["bar"]}, "Expected: images.*Drop --overlays"),
    ],
)
def test_marks_that_cannot_be_laid_are_refused_with_the_fix(source, options, message):
    with pytest.raises(ValueError, match=message):
        open_source(source, **options)
