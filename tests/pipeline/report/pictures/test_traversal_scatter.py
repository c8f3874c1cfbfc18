"""Lines along axes: every axis its colour, rejected steps crosses."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from latentloom.pipeline.report.charts.class_colors import class_colors
from latentloom.pipeline.report.pictures.traversal_scatter import traversal_scatter

STEPS = np.array([-1.0, 0.0, 1.0])
CELLS = np.array([[[-3, 0], [0, 0], [3, 0]], [[0, -1], [0, 0], [0, 2]]], np.float32)
BACKGROUND = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)


def _draw(accepted: np.ndarray, cells: np.ndarray = CELLS, labels=("70 %", "0.3 nats")) -> bytes:
    background = np.resize(BACKGROUND, (30, cells.shape[-1]))
    numbers = np.array([4, 0])
    return traversal_scatter(STEPS, cells, accepted, numbers, labels, background)


def _area(png: bytes, color) -> int:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)
    near = np.abs(pixels[..., :3] - np.array(to_rgb(color)) * 255).max(axis=-1) <= 3
    return int((near & (pixels[..., 3] > 0)).sum())


def test_every_axis_has_a_line_of_its_own_colour():
    drawn = _draw(np.ones((2, 3), bool))
    assert all(_area(drawn, color) > 500 for color in class_colors(2)[:, :3])


def test_rejected_steps_are_larger_crosses_of_their_axis():
    accepted = np.ones((2, 3), bool)
    accepted[0, 2] = False
    plain, refused = _draw(np.ones((2, 3), bool)), _draw(accepted)
    first, second = class_colors(2)[:, :3]
    assert _area(refused, first) > _area(plain, first)
    assert _area(refused, second) == _area(plain, second)


@pytest.mark.parametrize("features", [1, 5])
def test_vectors_of_any_size_are_drawn(features):
    cells = np.random.default_rng(1).normal(size=(2, 3, features)).astype(np.float32)
    assert _draw(np.ones((2, 3), bool), cells).startswith(b"\x89PNG")


def test_lines_that_do_not_fit_are_refused():
    for accepted, labels in ((np.ones((2, 2), bool), "ab"), (np.ones((2, 3), bool), "a")):
        with pytest.raises(ValueError, match="Pass all of the same axes and steps"):
            _draw(accepted, labels=labels)
