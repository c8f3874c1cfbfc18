"""Thickness, slant and width of drawn bars, whose answers are known."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.stats import spearmanr

from latentloom.model_zoo.metrics.strokes import ATTRIBUTES, HELD, measure_strokes

SIDE = 40


def bar(width: int, length: int, level: int = 255) -> np.ndarray:
    """An upright bar, `(SIDE, SIDE, 1)`."""
    image = np.zeros((SIDE, SIDE, 1), np.uint8)
    image[5 : 5 + length, 10 : 10 + width] = level
    return image


def line(degrees: float, thickness: int = 4) -> np.ndarray:
    """A bar of a height of 24 pixels that leans to the right, anti-aliased."""
    fine, lean = 8, 12 * np.tan(np.radians(degrees))
    ends = [(SIDE / 2 - lean, SIDE / 2 + 12), (SIDE / 2 + lean, SIDE / 2 - 12)]
    picture = Image.new("L", (SIDE * fine, SIDE * fine))
    points = [(x * fine, y * fine) for x, y in ends]
    ImageDraw.Draw(picture).line(points, fill=255, width=int(thickness) * fine)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX))[:, :, None]


def measured(name: str, *images: np.ndarray) -> np.ndarray:
    return measure_strokes(np.stack(images), name)


def test_a_bar_is_as_thick_as_it_is_less_its_ends():
    found = measured("thickness", *(bar(width, 24) for width in (1, 2, 3, 5, 8)))
    expected = [width / (1 + width / 24) for width in (1, 2, 3, 5, 8)]
    np.testing.assert_allclose(found, expected, rtol=0.08)
    assert (np.diff(found) > 0.5).all()


def test_a_slanted_bar_is_as_thick_as_an_upright_one():
    upright, *slanted = measured("thickness", *(line(degrees) for degrees in (0, 15, 30, 45, -30)))
    np.testing.assert_allclose(slanted, upright, rtol=0.07)


def test_thickness_does_not_depend_on_the_level_of_the_ink():
    bright, faint = measured("thickness", bar(3, 20), bar(3, 20, level=100))
    assert faint == pytest.approx(bright)


def test_thickness_orders_strokes_as_the_distance_transform_does():
    rng = np.random.default_rng(0)
    images = np.stack(
        [line(rng.uniform(-40, 40), thickness) for thickness in rng.integers(2, 9, 60)]
    )
    distances = np.stack([ndimage.distance_transform_edt(i[:, :, 0] > 127) for i in images])
    means = distances.sum(axis=(1, 2)) / (distances > 0).sum(axis=(1, 2))
    assert spearmanr(means, measure_strokes(images, "thickness")).statistic > 0.95


def test_a_slant_is_the_angle_from_the_vertical_and_positive_to_the_right():
    angles = [-40, -20, 0, 20, 40]
    np.testing.assert_allclose(measured("slant", *map(line, angles)), angles, atol=2)


def test_the_width_of_a_bar_is_95_percent_of_its_columns():
    found = measured("width", *(bar(width, 20) for width in (1, 4, 9)))
    np.testing.assert_allclose(found, [HELD * width for width in (1, 4, 9)], atol=1e-5)


def test_a_width_leaves_a_few_stray_pixels_out():
    image = bar(4, 20)
    image[10, 38] = 255
    assert measured("width", image)[0] < 4.1


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_blank_image_and_faint_haze_measure_0(name):
    blank = np.zeros((SIDE, SIDE, 1), np.uint8)
    haze = np.full_like(blank, 20)
    np.testing.assert_array_equal(measured(name, blank, haze), 0)


def test_one_column_one_row_and_one_pixel_of_ink_are_measured():
    row, pixel = np.zeros((2, SIDE, SIDE, 1), np.uint8)
    row[7], pixel[7, 7] = 255, 255
    images = (bar(1, 20), row, pixel)
    np.testing.assert_allclose(measured("slant", *images), 0, atol=1e-6)
    np.testing.assert_allclose(measured("width", *images), [0.95, 38, 0.95], atol=1e-5)
    assert (measured("thickness", *images) > 0.4).all()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_the_images_beside_one_change_nothing(name, monkeypatch):
    images = np.stack([line(degrees) for degrees in (-30, -10, 10, 30)])
    together = measure_strokes(images, name)
    monkeypatch.setattr("latentloom.model_zoo.metrics.strokes.BLOCK", 1)
    np.testing.assert_array_equal(together, measure_strokes(images, name))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match=r"grey uint8 images.*Convert them"):
        measure_strokes(np.zeros((2, 4, 4, 3), np.uint8), "slant")
    with pytest.raises(ValueError, match="one of thickness, slant, width.*Use one of these"):
        measure_strokes(np.zeros((2, 4, 4, 1), np.uint8), "height")
