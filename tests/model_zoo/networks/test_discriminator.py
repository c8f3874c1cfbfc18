import keras
import numpy as np
import pytest
from keras import layers, ops

from latentloom.model_zoo.networks.discriminator import (
    ProjectionDiscriminator,
    SpectralNormalization,
    hinge_losses,
    largest_singular_value,
)

SHAPE, NUM_CLASSES = (16, 16, 1), 3


@pytest.fixture
def discriminator():
    keras.utils.set_random_seed(0)
    return ProjectionDiscriminator(SHAPE, NUM_CLASSES, width=2, hidden_dim=8, convolutional=True)


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (5, *SHAPE)).astype(np.float32)
    return ops.convert_to_tensor(images), np.arange(5, dtype=np.int32) % NUM_CLASSES


def silence(discriminator):
    for variable in discriminator.trainable_variables:
        variable.assign(np.zeros(variable.shape))


def test_power_iteration_finds_the_largest_singular_value():
    matrix = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    direction = ops.ones((1, 4))
    for _ in range(100):
        value, direction = largest_singular_value(ops.convert_to_tensor(matrix), direction)
    assert float(value) == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-5)


def test_a_trained_kernel_acts_with_norm_one_and_stays_as_it_is():
    layer = SpectralNormalization(layers.Dense(4, bias_initializer="ones"))
    layer.build((None, 7))
    kernel = np.asarray(layer.layer.kernel)
    for _ in range(100):
        layer(ops.ones((1, 7)), training=True)
    np.testing.assert_array_equal(layer.layer.kernel, kernel)
    acting = np.asarray(layer(ops.eye(7))) - 1.0
    np.testing.assert_allclose(acting, kernel / np.linalg.norm(kernel, 2), rtol=1e-4, atol=1e-5)


def test_inference_leaves_the_estimate_as_it_is():
    layer = SpectralNormalization(layers.Dense(4))
    layer.build((None, 7))
    before = np.asarray(layer.direction)
    layer(ops.ones((1, 7)))
    np.testing.assert_array_equal(layer.direction, before)
    layer(ops.ones((1, 7)), training=True)
    assert not np.array_equal(layer.direction, before)


def test_the_score_depends_on_image_and_class(discriminator, pair):
    images, labels = pair
    scores = np.asarray(discriminator((images, labels)))
    assert scores.shape == (5,)
    assert not np.allclose(scores, discriminator((images, (labels + 1) % NUM_CLASSES)))
    assert not np.allclose(scores, discriminator((images * 0.5, labels)))


def test_images_too_small_for_convolutions_are_scored_too():
    small = ProjectionDiscriminator((8, 8, 1), 3, width=2, hidden_dim=4, convolutional=False)
    assert small((ops.zeros((2, 8, 8, 1)), np.array([0, 1], np.int32))).shape == (2,)


def test_a_discriminator_that_knows_nothing_has_a_hinge_loss_of_three(discriminator, pair):
    silence(discriminator)
    discriminator_loss, generator_loss = hinge_losses(discriminator, pair, [pair, pair])
    assert float(discriminator_loss) == 3.0
    assert float(generator_loss) == 0.0


def test_each_loss_reaches_its_own_side_only(discriminator, pair, gradients_of):
    fake = keras.Variable(pair[0] * 0.3)
    kernels = [v for v in discriminator.trainable_variables if v.name == "kernel"]
    sides = [fake, *kernels]

    def loss(index):
        def chosen():
            fakes = [(ops.convert_to_tensor(fake), pair[1])]
            return hinge_losses(discriminator, pair, fakes)[index]

        return gradients_of(chosen, sides)

    to_fake, *to_discriminator = loss(0)
    assert not to_fake.any()
    assert all(gradient.any() for gradient in to_discriminator)
    to_fake, *to_discriminator = loss(1)
    assert to_fake.any()
    assert not any(gradient.any() for gradient in to_discriminator)
