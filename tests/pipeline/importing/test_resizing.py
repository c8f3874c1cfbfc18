"""Images are resized as by TensorFlow, pixel by pixel."""

import numpy as np
import pytest
import tensorflow as tf

from latentloom.pipeline.importing.resizing import resize_images


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((28, 28, 1), (32, 32)),
        ((28, 28, 1), (12, 12)),
        ((128, 128, 3), (64, 64)),
        ((97, 41, 3), (17, 64)),
        ((5, 7, 1), (1, 1)),
        ((1, 1, 3), (9, 4)),
        ((64, 64, 3), (64, 64)),
        ((200, 150, 3), (4, 1024)),
    ],
)
def test_pixels_are_those_of_tensorflow(shape, size):
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), dtype=np.uint8)
    expected = tf.image.resize(images, size, antialias=True).numpy()
    expected = np.clip(np.rint(expected), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(resize_images(images, size), expected)
