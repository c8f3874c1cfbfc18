"""The pixels of an attribute, against the pixels that were painted, and errors in closed form."""

import numpy as np
import pytest

from latentloom.model_zoo.metrics.attribute_region import (
    colour_errors,
    explained_by_value,
    outside_changes,
    region_of,
    shape_errors,
)

COUNT, SIDE = 1000, 12
BAND = np.zeros((SIDE, SIDE), bool)
BAND[8:11, 2:10] = True


def painted(values: np.ndarray, labels: np.ndarray, paint, seed: int = 0) -> np.ndarray:
    """Noise whose brightness follows the class, with a band where the value is not 0."""
    rng = np.random.default_rng(seed)
    images = rng.integers(60, 100, (len(values), SIDE, SIDE, 3)) + 20 * labels[:, None, None, None]
    for row in np.flatnonzero(values):
        images[row, BAND] = paint(rng, values[row])
    return images.astype(np.uint8)


def drawn(tie: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Values and classes; with `tie` of them equal."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, COUNT)
    values = np.where(rng.random(COUNT) < tie, labels, rng.integers(0, 2, COUNT))
    return values, labels


@pytest.mark.parametrize(
    "paint",
    [
        lambda rng, value: rng.integers(0, 256, 3),
        lambda rng, value: [200, 60, 60],
        lambda rng, value: rng.choice([20, 160], (BAND.sum(), 1)),  # the mean stays what it was
    ],
    ids=["a colour each", "one colour", "specks"],
)
@pytest.mark.parametrize("tie", [0.0, 0.8])
def test_the_region_is_what_was_painted(paint, tie):
    values, labels = drawn(tie)
    assert (region_of(painted(values, labels, paint), values, labels) == BAND).all()


def test_a_value_that_shows_nowhere_explains_nothing():
    values, labels = drawn()
    images = painted(np.zeros_like(values), labels, None)
    explained = explained_by_value(images, values, labels)
    assert abs(explained).max() < 0.05
    assert not region_of(images, values, labels).any()


def test_pixels_that_never_change_and_values_that_are_the_class_explain_nothing():
    values, labels = drawn()
    black = np.zeros((COUNT, SIDE, SIDE, 1), np.uint8)
    assert not region_of(black, values, labels).any()
    images = painted(np.zeros_like(values), labels, None)
    assert explained_by_value(images, labels, labels).max() < 0.05


def test_several_values_are_found_together():
    labels = np.arange(COUNT) % 2
    values = np.random.default_rng(3).integers(0, 4, COUNT)
    images = painted(values, labels, lambda rng, value: 60 * value)
    assert (region_of(images, values, labels) == BAND).all()


def test_errors_in_closed_form():
    anchors = np.full((2, SIDE, SIDE, 3), 51, np.uint8)
    made = anchors.copy()
    made[:, BAND] = [102, 51, 51]
    assert colour_errors(made, anchors, BAND) == pytest.approx([0.2 / 3] * 2)
    assert shape_errors(made, anchors, BAND) == pytest.approx([0, 0])
    assert outside_changes(made, anchors, BAND) == pytest.approx([0, 0])
    made[0, 8, 2:10] = 204  # one of three lines
    assert shape_errors(made, anchors, BAND)[0] > 0.1
    made[1, 0, 0] += 51
    assert outside_changes(made, anchors, BAND) == pytest.approx([0, 0.2 / (~BAND).sum()])
