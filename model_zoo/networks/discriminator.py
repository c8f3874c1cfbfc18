"""The class-conditional discriminator: projection, spectral normalisation, hinge loss.

Reference:
    Miyato & Koyama, cGANs with Projection Discriminator, ICLR 2018; Miyato et al., Spectral
    Normalization for Generative Adversarial Networks, ICLR 2018.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers, ops

from latentloom.model_zoo.losses.adversary import call_frozen
from latentloom.model_zoo.networks.architecture import LARGEST_BASE_SIDE, num_stages
from latentloom.model_zoo.networks.encoder_decoder import convolution_shapes, output_activation
from latentloom.model_zoo.networks.sizes import check_weights

KERNEL_SIZE = 4
LEAK = 0.1
TINY = 1e-12


@keras.saving.register_keras_serializable(package="latentloom")
class SpectralNormalization(layers.Wrapper):
    """Divides the kernel of a layer, as a matrix, by its largest singular value.

    One power iteration a training step estimates the value. Keras' own wrapper overwrites the
    kernel and stops the gradient through the norm; this one does neither.

    Args:
        layer: A dense or convolutional layer.
    """

    def __init__(self, layer: layers.Layer, **kwargs):
        super().__init__(layer, **kwargs)

    def build(self, input_shape=None):
        super().build(input_shape)
        self.direction = self.add_weight(
            shape=(1, self.layer.kernel.shape[-1]),
            initializer=keras.initializers.RandomNormal(seed=0),
            trainable=False,
            dtype="float32",
            name="direction",
        )

    def call(self, inputs, training=False):
        kernel = ops.reshape(self.layer.kernel, (-1, self.layer.kernel.shape[-1]))
        norm, direction = largest_singular_value(kernel, self.direction)
        if training:
            self.direction.assign(direction)
        outputs = self.layer(inputs)
        if self.layer.bias is None:
            return outputs / ops.cast(norm, outputs.dtype)
        bias = ops.cast(self.layer.bias, outputs.dtype)
        return (outputs - bias) / ops.cast(norm, outputs.dtype) + bias


def largest_singular_value(matrix, direction):
    """Estimates the largest singular value by one power iteration.

    Args:
        matrix: `(rows, columns)`.
        direction: `(1, columns)`, the estimate of the right singular vector.

    Returns:
        The singular value, with gradients to the matrix, and the next direction.
    """
    fixed = ops.stop_gradient(matrix)
    left = _unit(ops.matmul(direction, ops.transpose(fixed)))
    right = _unit(ops.matmul(left, fixed))
    return ops.sum(ops.matmul(left, matrix) * right) + TINY, right


def _unit(vector):
    return vector / ops.sqrt(ops.sum(ops.square(vector)) + TINY)


@keras.saving.register_keras_serializable(package="latentloom")
class ProjectionDiscriminator(keras.Model):
    """Scores how real an image of a class looks: `w . h(x) + <V y, h(x)>`.

    Args:
        image_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of classes.
        width: Integer, channels of the first convolution; they double at each halving.
        hidden_dim: Integer, size of `h`.
        convolutional: Whether `h` begins with convolutions.
        base_side: Integer, pixels. Convolutions halve the image until its longer side is at most
            this.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        width: int,
        hidden_dim: int,
        convolutional: bool,
        base_side: int = LARGEST_BASE_SIDE,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape, self.num_classes = tuple(image_shape), num_classes
        flat, shapes = math.prod(image_shape), []
        if convolutional:
            flat, shapes = convolution_shapes(image_shape, width, KERNEL_SIZE, base_side)
        check_weights(self.name, *shapes, (flat + num_classes, hidden_dim))
        stack: list = [keras.Input(self.image_shape)]
        if convolutional:
            for stage in range(num_stages(image_shape, base_side)):
                convolution = layers.Conv2D(
                    width * 2**stage, KERNEL_SIZE, strides=2, padding="same"
                )
                stack += [SpectralNormalization(convolution), layers.LeakyReLU(LEAK)]
        stack += [
            layers.Flatten(),
            SpectralNormalization(layers.Dense(hidden_dim)),
            layers.LeakyReLU(LEAK),
            output_activation("linear"),
        ]
        self.features = keras.Sequential(stack, name="features")
        self.realness = SpectralNormalization(layers.Dense(1, dtype="float32"), name="realness")
        self.realness.build((None, hidden_dim))
        self.class_embedding = SpectralNormalization(
            layers.Dense(hidden_dim, use_bias=False, dtype="float32"), name="class_embedding"
        )
        self.class_embedding.build((None, num_classes))
        self.built = True

    def call(self, inputs, training=False):
        images, labels = inputs
        features = self.features(images, training=training)
        classes = self.class_embedding(ops.one_hot(labels, self.num_classes), training=training)
        return self.realness(features, training=training)[:, 0] + ops.sum(
            classes * features, axis=-1
        )


def hinge_losses(discriminator: keras.Model, real, fakes):
    """Hinge losses of a discriminator and of the decoder that generates the fakes.

    Args:
        discriminator: Network from pairs of images and labels to scores.
        real: Pair of real images `(batch, height, width, channels)` and their labels `(batch,)`.
        fakes: One such pair for each kind of decoded images.

    Returns:
        `(discriminator_loss, generator_loss)`. The first is the hinge loss; it is 1 plus the number
        of kinds if all scores are 0, and its gradients reach the discriminator only. The second is
        minus the sum of the kinds' mean scores; its gradients reach the fakes only.
    """
    discriminator_loss = ops.mean(ops.relu(1.0 - discriminator(real, training=True)))
    generator_loss = 0.0
    for images, labels in fakes:
        scores = discriminator((ops.stop_gradient(images), labels), training=True)
        discriminator_loss += ops.mean(ops.relu(1.0 + scores))
        generator_loss -= ops.mean(call_frozen(discriminator, (images, labels)))
    return discriminator_loss, generator_loss
