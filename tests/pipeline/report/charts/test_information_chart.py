"""Bars of information: one an axis, sorted, dead ones of another colour."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from latentloom.pipeline.report.charts.information_chart import (
    ALIVE,
    DEAD,
    MOST_BARS,
    information_chart,
)


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def _drawn(png: bytes, color: str) -> np.ndarray:
    """Where this colour is."""
    rgb = [round(255 * part) for part in to_rgb(color)]
    return (_pixels(png) == [*rgb, 255]).all(-1)


def test_dead_axes_have_another_colour():
    some = information_chart({"zu": np.array([2.0, 0.05, 1.0])}, 0.1)
    none = information_chart({"zu": np.array([2.0, 0.15, 1.0])}, 0.1)
    assert _drawn(some, DEAD).any()
    assert not _drawn(none, DEAD).any()


def test_bars_are_as_high_as_what_they_tell_and_sorted():
    columns = _drawn(information_chart({"zu": np.array([1.0, 2.0])}, 0.1), ALIVE).sum(axis=0)
    heights = columns[columns > 0]
    first, last = heights[len(heights) // 4], heights[-len(heights) // 4]
    assert first == pytest.approx(2 * last, rel=0.05)
    assert (np.diff(heights) <= 4).all()  # but for the dashes of the line


def _heights(blocks) -> list[int]:
    """Rows of pixels of the highest bar of every panel."""
    rows = np.flatnonzero(_drawn(information_chart(blocks, 0.1), ALIVE).any(axis=1))
    return [len(part) for part in np.split(rows, np.flatnonzero(np.diff(rows) > 5) + 1)]


def test_blocks_of_several_axes_have_one_scale_and_a_block_of_one_its_own():
    first, second = _heights({"a": np.array([2.0, 0.2]), "b": np.array([1.0, 0.2])})
    assert first == pytest.approx(2 * second, rel=0.05)
    first, second = _heights({"a": np.array([9.0]), "b": np.array([1.0, 0.2])})
    assert first == pytest.approx(second, rel=0.05)


def test_information_below_nothing_is_drawn_as_nothing():
    told = information_chart({"zu": np.array([1.0, -0.01])}, 0.1)
    assert not _drawn(told, DEAD).any()


def test_more_axes_than_can_be_named_are_left_out_the_weakest_first():
    told = np.linspace(1, 2, MOST_BARS)
    fuller = np.concatenate([np.zeros(30), told])
    assert not _drawn(information_chart({"zu": fuller}, 0.1), DEAD).any()


@pytest.mark.parametrize("blocks", [{}, {"zu": np.array([])}])
def test_nothing_to_draw_is_refused(blocks):
    with pytest.raises(ValueError, match="Leave out blocks without axes"):
        information_chart(blocks, 0.1)
