import numpy as np
import pytest

from latentloom.model_zoo.metrics import pixels
from latentloom.model_zoo.metrics.pixels import (
    excess_cross_entropy,
    mean_squared_error,
    squared_errors,
    within_class_variance,
)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (90, 4, 5, 3), dtype=np.uint8)


def test_an_error_is_the_same_in_both_directions_and_does_not_wrap(images):
    black, white = np.zeros((2, 3, 3, 1), np.uint8), np.full((2, 3, 3, 1), 255, np.uint8)
    assert mean_squared_error(black, white) == mean_squared_error(white, black) == 255**2
    assert mean_squared_error(images, images) == 0


def test_an_error_is_averaged_over_pixels(images):
    other = np.roll(images, 1, axis=0)
    expected = np.mean((images.astype(float) - other.astype(float)) ** 2)
    assert mean_squared_error(images, other) == pytest.approx(expected, rel=1e-6)


def test_variance_within_classes_is_the_error_of_the_class_mean(images):
    labels = np.arange(90) % 4
    means = np.stack([images[labels == label].mean(axis=0) for label in range(4)])
    expected = np.mean((images - means[labels]) ** 2)
    assert within_class_variance(images, labels) == pytest.approx(expected)


def test_classes_of_equal_images_do_not_vary(images):
    labels = np.arange(90) % 3
    assert within_class_variance(images[labels], labels) == 0
    assert within_class_variance(images, np.arange(90)) == 0


def test_squared_errors_are_those_of_each_image_on_pixels_from_0_to_1(images):
    other = np.roll(images, 1, axis=0)
    found = squared_errors(images, other)
    assert found.mean() * 255**2 == pytest.approx(mean_squared_error(images, other), rel=1e-5)
    assert found[3] == pytest.approx(np.mean((images[3] / 255 - other[3] / 255) ** 2), rel=1e-5)


def test_excess_cross_entropy_is_0_for_the_originals_and_positive_for_all_else(images):
    np.testing.assert_array_equal(excess_cross_entropy(images, images), 0)
    assert (excess_cross_entropy(np.roll(images, 1, axis=0), images) > 0).all()
    every = np.arange(256, dtype=np.uint8)
    pairs = np.stack(np.meshgrid(every, every, indexing="ij")).reshape(2, -1, 1, 1, 1)
    assert excess_cross_entropy(*pairs).min() >= 0


def test_excess_cross_entropy_is_the_sum_over_pixels_less_the_clipped_entropy(images):
    other = np.roll(images, 1, axis=0)
    target, (mean, own) = images / 255, np.clip([other / 255, images / 255], 1 / 512, 511 / 512)

    def cross_entropy(probability):
        terms = target * np.log(probability) + (1 - target) * np.log(1 - probability)
        return -terms.sum(axis=(1, 2, 3))

    expected = cross_entropy(mean) - cross_entropy(own)
    np.testing.assert_allclose(excess_cross_entropy(other, images), expected)


def test_a_white_pixel_decoded_black_costs_as_much_as_the_clip_allows():
    black, white = np.zeros((1, 1, 1, 1), np.uint8), np.full((1, 1, 1, 1), 255, np.uint8)
    assert excess_cross_entropy(black, white)[0] == pytest.approx(np.log(511))


@pytest.mark.parametrize("figure", [mean_squared_error, squared_errors, excess_cross_entropy])
def test_errors_do_not_depend_on_how_many_images_are_computed_at_a_time(
    images, monkeypatch, figure
):
    other = np.roll(images, 1, axis=0)
    whole = figure(images, other)
    monkeypatch.setattr(pixels, "BLOCK", 7 * 60)
    np.testing.assert_array_equal(figure(images, other), whole)
