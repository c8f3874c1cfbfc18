import numpy as np
import pytest

from model_zoo.metrics.pixels import mean_squared_error, within_class_variance


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
