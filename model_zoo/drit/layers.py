"""Layers of DRIT: instance normalisation, and one network a domain."""

from __future__ import annotations

import keras
from keras import layers, ops

from latentloom.model_zoo.networks.encoder_decoder import output_activation

EPSILON = 1e-5
HIDDEN_DIM, DOMAIN_DIM = 128, 64
"""Sizes of the hidden and of the last layer of the network of each domain."""


@keras.saving.register_keras_serializable(package="latentloom")
class InstanceNorm(layers.Layer):
    """Brings each channel of an image to mean 0 and variance 1, without scale and shift."""

    def call(self, inputs):
        values = ops.cast(inputs, "float32")
        centred = values - ops.mean(values, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(centred), axis=(1, 2), keepdims=True)
        return ops.cast(centred * ops.rsqrt(variance + EPSILON), self.compute_dtype)


@keras.saving.register_keras_serializable(package="latentloom")
class AdaptiveInstanceNorm(layers.Layer):
    """Instance normalisation, then scale and shift of every channel: `(1 + scale) * x + shift`.

    Input shape:
        `[maps (batch, height, width, channels), scale and shift (batch, 2 * channels)]`.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm = InstanceNorm(dtype=self.dtype_policy)

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs):
        maps, modulation = inputs
        scale, shift = ops.split(modulation[:, None, None], 2, axis=-1)
        return self.norm(maps) * (1 + scale) + shift


@keras.saving.register_keras_serializable(package="latentloom")
class Upsampling(layers.Layer):
    """Doubles the sides of a map: each value becomes a square of four."""

    def call(self, inputs):
        return ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, 2 * height, 2 * width, channels


@keras.saving.register_keras_serializable(package="latentloom")
class ChoiceOfDomain(layers.Layer):
    """Weighs the outputs of one network a domain by the one-hot of the domain.

    Input shape:
        `[domain (batch, domains), output of each domain (batch, dim) ...]`.

    Output shape:
        `(batch, dim)`.
    """

    def call(self, inputs):
        domain, *outputs = inputs
        return sum(domain[:, place, None] * output for place, output in enumerate(outputs))


def modulations(style_dim: int, num_domains: int, output_dim: int) -> keras.Model:
    """Builds the network from style and domain to the scales and shifts of the generator.

    The domain enters twice: each has a network of its own for the style, and its one-hot stands
    beside what that network returns.

    Returns:
        A network, `[(batch, style_dim), (batch, num_domains)]` to `(batch, output_dim)`.
    """
    style, domain = keras.Input((style_dim,)), keras.Input((num_domains,))
    heads = [
        layers.Dense(DOMAIN_DIM, activation="relu")(
            layers.Dense(HIDDEN_DIM, activation="relu")(style)
        )
        for _ in range(num_domains)
    ]
    chosen = ChoiceOfDomain()([domain, *heads])
    hidden = layers.Dense(HIDDEN_DIM, activation="relu")(layers.Concatenate()([chosen, domain]))
    last = output_activation("linear")(layers.Dense(output_dim)(hidden))
    return keras.Model([style, domain], last, name="modulations")
