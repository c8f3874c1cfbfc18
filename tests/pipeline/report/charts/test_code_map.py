"""The map of codes: every class its colour, no class on top, any number of classes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from latentloom.pipeline.report.charts.class_colors import (
    HUES,
    MAX_NAMED,
    class_colors,
    class_marker,
)
from latentloom.pipeline.report.charts.code_map import code_map
from latentloom.pipeline.report.charts.drawing import WIDE


def _points(count: int = 200, blocks: tuple[str, ...] = ("zs", "zu")) -> dict:
    rng = np.random.default_rng(0)
    return {
        way: {block: rng.normal(size=(count, 2)) for block in blocks}
        for way in ("principal components", "t-SNE")
    }


def _draw(num_classes: int, count: int = 200) -> bytes:
    names = [f"class {label}" for label in range(num_classes)]
    return code_map(_points(count), np.arange(count) % num_classes, names)


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def _area(png: bytes, color: str) -> int:
    """Number of pixels of about this colour, whatever lies below."""
    pixels = _pixels(png)
    distance = np.abs(pixels[..., :3] - np.array(to_rgb(color)) * 255).max(axis=-1)
    return int(((distance <= 3) & (pixels[..., 3] > 0)).sum())


def test_each_class_has_a_colour_of_its_own_and_equal_classes_equal_areas():
    png = _draw(len(HUES))
    areas = [_area(png, hue) for hue in HUES]
    assert min(areas) > 0.6 * max(areas)
    assert min(areas) > 500
    assert len({tuple(color) for color in class_colors(len(HUES))}) == len(HUES)


def test_up_to_twenty_classes_a_hue_and_a_marker_tell_the_class():
    colors = class_colors(MAX_NAMED)
    shapes = [class_marker(label, MAX_NAMED) for label in range(MAX_NAMED)]
    pairs = {(tuple(color), shape) for color, shape in zip(colors, shapes, strict=True)}
    assert len(pairs) == MAX_NAMED == 20


def test_more_classes_than_can_be_told_apart_have_no_legend():
    few, many = _pixels(_draw(MAX_NAMED)), _pixels(_draw(MAX_NAMED + 1))
    assert many.shape[0] < few.shape[0]
    assert len({tuple(color) for color in class_colors(100)}) == 100
    legend = code_map(_points(), np.arange(200) % 2, ["short", "other"])
    assert legend != code_map(_points(), np.arange(200) % 2, ["short", "names"])


def test_no_class_lies_on_top_of_another():
    crowd = {"way": {"zu": np.random.default_rng(0).normal(size=(3000, 2)) * 0.01}}
    pixels = _pixels(code_map(crowd, np.arange(3000) % 2, ["a", "b"]))
    colors = class_colors(2)[:, :3] * 255
    distances = np.abs(pixels[..., None, :3] - colors).sum(axis=-1)
    dots = (pixels[..., 3] > 150) & (np.ptp(pixels[..., :3], axis=-1) > 40)
    share = np.mean(distances.argmin(axis=-1)[dots])
    assert share == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("blocks", [("z",), ("zs", "zu"), ("a", "b", "c")])
def test_any_number_of_blocks_is_drawn(blocks):
    pixels = _pixels(code_map(_points(20, blocks), np.arange(20) % 2, ["cat", "dog"]))
    assert pixels.shape[1] == round(WIDE * 220)
    assert pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3].tolist() == [0] * 4


def test_names_with_mathematics_are_drawn_as_they_are():
    assert code_map({"$\\frac{$": {"$z_{$": np.zeros((2, 2))}}, np.arange(2), ["$\\frac{$", "b"])


def test_equal_maps_are_equal_bytes():
    assert _draw(3) == _draw(3)


@pytest.mark.parametrize("color", HUES)
@pytest.mark.parametrize("page", ["#fbfaf8", "#14171b"])
def test_colours_can_be_told_from_a_light_and_a_dark_page(color, page):
    def luminance(name: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(name)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    darker, lighter = sorted([luminance(color), luminance(page)])
    assert (lighter + 0.05) / (darker + 0.05) >= 3


@pytest.mark.parametrize("points", [{}, {"way": {"zs": np.zeros((3, 2))}}, {"way": {}}])
def test_points_that_do_not_fit_the_labels_are_refused(points):
    with pytest.raises(ValueError, match="Project each block to two dimensions"):
        code_map(points, np.arange(4), list("abcd"))
