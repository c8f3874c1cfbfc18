"""Vectors as dots: every class its colour, rejects crosses, exchanges arrows."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from latentloom.pipeline.report.charts.class_colors import HUES, class_colors
from latentloom.pipeline.report.charts.drawing import TEXT, WIDE
from latentloom.pipeline.report.pictures.scatter import exchange_scatter, in_plane, variant_scatter

NAMES = ["left", "right"]
RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 2)).astype(np.float32)
LABELS = np.arange(60) % 2


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def area(png: bytes, color) -> int:
    """Number of pixels of about this colour."""
    pixels = pixels_of(png)
    near = np.abs(pixels[..., :3] - np.array(to_rgb(color)) * 255).max(axis=-1) <= 3
    return int((near & (pixels[..., 3] > 0)).sum())


def draw(accepted: np.ndarray, features: int = 2) -> bytes:
    anchors = RNG.normal(size=(60, features)).astype(np.float32)
    return variant_scatter(anchors, LABELS, anchors + 0.1, accepted, NAMES)


def test_accepted_variants_have_the_colours_of_their_classes():
    passed, refused = draw(np.ones(60, bool)), draw(np.zeros(60, bool))
    for color in class_colors(2)[:, :3]:
        assert area(refused, color) < 0.75 * area(passed, color)
    assert area(refused, TEXT) > area(passed, TEXT)


@pytest.mark.parametrize("features", [1, 2, 7])
def test_vectors_of_any_size_are_drawn(features):
    pixels = pixels_of(draw(np.ones(60, bool), features))
    assert pixels.shape[1] == round(WIDE * 220)
    assert pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3].tolist() == [0] * 4


def test_two_features_keep_their_coordinates():
    (found,) = in_plane(POINTS, POINTS)
    np.testing.assert_array_equal(found, POINTS)


def test_more_features_are_seen_along_their_largest_variance():
    wide = RNG.normal(size=(200, 5)) * [1, 30, 2, 10, 3]
    found, moved = in_plane(wide, wide, wide + 1.0)
    assert np.abs(np.corrcoef(found[:, 0], wide[:, 1])[0, 1]) > 0.99
    assert np.abs(np.corrcoef(found[:, 1], wide[:, 3])[0, 1]) > 0.99
    np.testing.assert_allclose(np.linalg.norm(moved - found, axis=1), 1.4, atol=0.3)


def test_exchanged_vectors_have_the_colours_of_both_classes():
    real, labels = np.float32([[0, 0], [4, 1]]), np.arange(2)
    cells = np.float32([[[0, 0], [1, 2]], [[3, 2], [4, 1]]])
    background = np.zeros((3, 2), np.float32)
    drawn = [
        exchange_scatter(real, labels, cells, accepted, background, NAMES)
        for accepted in (np.ones((2, 2), bool), np.zeros((2, 2), bool))
    ]
    assert drawn[0] != drawn[1]
    for hue in class_colors(2)[:, :3]:
        assert area(drawn[0], hue) > 500


def test_equal_plots_are_equal_bytes():
    passed = LABELS == 0
    first, again = (variant_scatter(POINTS, LABELS, POINTS, passed, NAMES) for _ in range(2))
    assert first == again


def test_more_classes_than_hues_are_told_apart():
    names, labels = [f"c{label}" for label in range(12)], np.arange(60) % 12
    png = variant_scatter(POINTS, labels, POINTS, np.ones(60, bool), names)
    assert all(area(png, hue) for hue in HUES)


@pytest.mark.parametrize("wrong", [{"labels": LABELS[:3]}, {"accepted": LABELS[:3] == 0}])
def test_arrays_that_do_not_fit_are_refused(wrong):
    given = {"labels": LABELS, "accepted": LABELS == 0} | wrong
    with pytest.raises(ValueError, match="Pass all of the same n vectors"):
        variant_scatter(POINTS, given["labels"], POINTS, given["accepted"], NAMES)
