"""Properties of images whose light, colour and border are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from latentloom.model_zoo.metrics.image_properties import (
    PROPERTIES,
    are_constant,
    measure_image_properties,
)


def bright_square(colour, ground=(0, 0, 0), side=16):
    image = np.zeros((1, side, side, len(colour)), np.uint8)
    image[:] = ground
    image[:, 4:12, 4:12] = colour
    return image


def test_colours_of_object_border_and_light_are_told_apart():
    found = measure_image_properties(bright_square((200, 100, 0), (10, 20, 30)))
    np.testing.assert_allclose(found["object_colour"], [[200, 100, 0]])
    np.testing.assert_allclose(found["border_colour"], [[10, 20, 30]])
    red, green = (0.25 * 200 + 0.75 * 10, 0.25 * 100 + 0.75 * 20)
    np.testing.assert_allclose(
        found["colour_cast"][0], np.array([red, green]) / (red + green + 22.5)
    )


def test_light_is_that_of_grey_pixels():
    found = measure_image_properties(bright_square((240,), (40,)))
    assert found["brightness"][0, 0] == pytest.approx(90)
    assert found["contrast"][0, 0] == pytest.approx(200 * np.sqrt(3) / 4)
    np.testing.assert_allclose(found["levels"], [[40, 240]])
    assert list(found) == [name for name in PROPERTIES if name != "colour_cast"]


def test_blur_lowers_sharpness_whatever_the_light():
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (1, 16, 16, 1)).astype(np.uint8)
    soft = gaussian_filter(sharp.astype(float), (0, 1, 1, 0)).astype(np.uint8)
    images = np.concatenate([sharp, soft, sharp // 2])
    found = measure_image_properties(images)["sharpness"][:, 0]
    assert found[1] < found[0] - 0.2
    assert found[2] == pytest.approx(found[0], abs=0.05)


def test_an_image_has_the_same_figures_whatever_stands_beside_it():
    images = np.random.default_rng(0).integers(0, 256, (400, 64, 64, 3)).astype(np.uint8)
    images[7] = 0
    whole = measure_image_properties(images)
    for name, numbers in measure_image_properties(images[[7, 399]]).items():
        np.testing.assert_allclose(whole[name][[7, 399]], numbers, rtol=1e-5)
    assert np.flatnonzero(are_constant(images)).tolist() == [7]
