"""The networks of ELEGANT: encoder, decoder of a residual, and the discriminators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from latentloom.model_zoo.elegant.blocks import SOURCE, cut_channels
from latentloom.model_zoo.elegant.settings import ElegantSettings
from latentloom.model_zoo.networks.architecture import num_stages
from latentloom.model_zoo.networks.encoder_decoder import output_activation
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture
from latentloom.model_zoo.networks.sizes import check_weights

LEAK = 0.2
INITIAL_SCALE = 0.02
"""Standard deviation of the initial kernels."""
RESIDUAL_SCALE = 2.0
"""Largest residual: it turns black to white and back."""
LEAST_TWO_SIDES = 32
"""Smallest image, in pixels, that a second discriminator sees at half its size."""
PRECISION_RANGE = (0.01, 1000.0)
TINY = 1e-12


@keras.saving.register_keras_serializable(package="latentloom")
class UnitChannels(layers.Layer):
    """Divides the channels of each position by their norm, then scales and shifts all alike.

    The authors' only normalisation: `scale * x / ||x||_2 + shift`, two scalars a layer.
    """

    def build(self, input_shape=None):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(), initializer="zeros", name="shift")

    def call(self, inputs):
        values = ops.cast(inputs, "float32")
        norm = ops.rsqrt(ops.sum(ops.square(values), axis=-1, keepdims=True) + TINY)
        scale, shift = ops.cast(self.scale, "float32"), ops.cast(self.shift, "float32")
        return ops.cast(scale * values * norm + shift, self.compute_dtype)


@dataclass(frozen=True)
class ElegantNetworks:
    """The built layers of the model and the random source of training.

    Attributes:
        encoder: Maps images `(batch, height, width, channels)` to the maps of all its stages; the
            last is the code `(batch, h, w, code_channels)`.
        decoder: Maps `[new code beside own code, maps of the other stages, the smallest first]` to
            a residual in `(-1, 1)`.
        discriminators: Map `[images, values]` to logits `(batch, 1)`, at full size and at half
            size; only the first for images under 32 pixels, none without adversarial terms.
        mixture: One Gaussian a class, which predicts the class from the decoded image.
        noise: Random source of the interpolation regulariser.
        cuts: Channels of the code by attribute; see `cut_channels`.
        code_shape: `(h, w, code_channels)`.
        image_shape: `(height, width, channels)` in pixels.
    """

    encoder: keras.Model
    decoder: keras.Model
    discriminators: list[keras.Model]
    mixture: ClassMixture
    noise: keras.random.SeedGenerator
    cuts: Mapping[str, tuple[int, int]]
    code_shape: tuple[int, int, int]
    image_shape: tuple[int, ...]

    def encode(self, images) -> dict:
        """Encodes images to one `(batch, dim)` tensor a block, the image itself among them."""
        return self.attributes(self.stages(images)) | {SOURCE: _flat(images)}

    def decode(self, latents):
        """Puts the attributes of a code on the image in its block `source`."""
        shape = (-1, *self.image_shape)
        images = ops.clip(ops.reshape(latents[SOURCE], shape), -1.0, 1.0)
        return self.change(images, self.stages(images), latents)

    def stages(self, images) -> list:
        """Maps of all stages of the encoder; the last is the code."""
        return keras.tree.flatten(self.encoder(images))  # Keras unwraps a list of one

    def attributes(self, stages: Sequence) -> dict:
        """Splits the code into one `(batch, dim)` tensor an attribute."""
        code = ops.cast(stages[-1], "float32")
        return {name: _flat(code[..., begin:end]) for name, (begin, end) in self.cuts.items()}

    def change(self, images, stages: Sequence, latents: Mapping):
        """Adds the residual that gives images the attributes of a code.

        Args:
            images: `(batch, height, width, channels)` in `[-1, 1]`.
            stages: Maps of the encoder for these images.
            latents: One `(batch, dim)` tensor an attribute.
        """
        height, width, _ = self.code_shape
        maps = [
            ops.reshape(latents[name], (-1, height, width, end - begin))
            for name, (begin, end) in self.cuts.items()
        ]
        *skips, own = stages
        code = ops.concatenate([*maps, ops.cast(own, "float32")], axis=-1)
        residual = self.decoder([code, *reversed(skips)])
        return ops.clip(images + RESIDUAL_SCALE * residual, -1.0, 1.0)

    def features(self, stages: Sequence):
        """The whole code, flat and of about unit scale, `(batch, h * w * code_channels)`."""
        return math.sqrt(self.code_shape[-1]) * ops.cast(_flat(stages[-1]), "float32")


def build_networks(
    settings: ElegantSettings, image_shape: tuple[int, ...], num_classes: int
) -> ElegantNetworks:
    """Builds the networks of the model.

    Raises:
        ValueError: A network would be too large.
    """
    channels = stage_channels(settings, num_stages(image_shape, settings.base_side))
    sides = [_halved(image_shape, stage) for stage in range(len(channels) + 1)]
    _check_sizes(channels, image_shape)
    return ElegantNetworks(
        encoder=_encoder(image_shape, channels),
        decoder=_decoder(channels, sides, image_shape[-1]),
        discriminators=_discriminators(settings, image_shape) if settings.gan_weight else [],
        mixture=ClassMixture(
            num_classes,
            math.prod(sides[-1]) * channels[-1],
            PRECISION_RANGE,
            name="mixture",
            dtype="float32",
        ),
        noise=keras.random.SeedGenerator(settings.seed),
        cuts=cut_channels(settings.attributes, channels[-1]),
        code_shape=(*sides[-1], channels[-1]),
        image_shape=image_shape,
    )


def stage_channels(settings: ElegantSettings, stages: int) -> list[int]:
    """Channels after every halving: doubled each time, at most and at the end `code_channels`."""
    widest = settings.code_channels
    return [*(min(settings.width * 2**stage, widest) for stage in range(stages - 1)), widest]


def _encoder(image_shape: Sequence[int], channels: Sequence[int]) -> keras.Model:
    image = keras.Input(tuple(image_shape))
    return keras.Model(image, _halvings(image, channels), name="encoder")


def _halvings(tensor: Any, channels: Sequence[int]) -> list:
    """Maps after each of some convolutions of stride 2."""
    maps = []
    for width in channels:
        tensor = layers.Conv2D(
            width, 3, strides=2, padding="same", kernel_initializer=_kernel_initializer()
        )(tensor)
        tensor = layers.LeakyReLU(LEAK)(UnitChannels()(tensor))
        maps.append(tensor)
    return maps


def _decoder(
    channels: Sequence[int], sides: Sequence[tuple[int, int]], image_channels: int
) -> keras.Model:
    """Builds the decoder: maps of the encoder's other stages are added after each ReLU."""
    code = keras.Input((*sides[-1], 2 * channels[-1]))
    skips = [
        keras.Input((*sides[stage + 1], channels[stage]))
        for stage in reversed(range(len(channels) - 1))
    ]
    tensor = code
    for stage, skip in zip(reversed(range(1, len(channels))), skips, strict=True):
        tensor = _doubled(tensor, channels[stage - 1], sides[stage])
        tensor = layers.Activation("relu")(UnitChannels()(tensor)) + skip
    tensor = _doubled(tensor, image_channels, sides[0])
    return keras.Model([code, *skips], output_activation("tanh")(tensor), name="decoder")


def _doubled(tensor: Any, width: int, sides: tuple[int, int]) -> Any:
    """A transposed convolution of stride 2, cropped to `sides`."""
    tensor = layers.Conv2DTranspose(
        width, 3, strides=2, padding="same", kernel_initializer=_kernel_initializer()
    )(tensor)
    surplus = [side - wanted for side, wanted in zip(tensor.shape[1:3], sides, strict=True)]
    return layers.Cropping2D([(0, each) for each in surplus])(tensor) if any(surplus) else tensor


def _discriminators(settings: ElegantSettings, image_shape: tuple[int, ...]) -> list[keras.Model]:
    num_values = sum(settings.factor_sizes[name] for name in settings.attributes)
    networks = [_discriminator(settings, image_shape, num_values, 1, "discriminator")]
    if min(image_shape[:2]) >= LEAST_TWO_SIDES:
        networks.append(_discriminator(settings, image_shape, num_values, 2, "half_discriminator"))
    return networks


def _discriminator(
    settings: ElegantSettings, image_shape: tuple[int, ...], num_values: int, pool: int, name: str
) -> keras.Model:
    """Builds a discriminator; its values come as maps, constant over the image.

    Args:
        settings: Settings of the model.
        image_shape: `(height, width, channels)` in pixels.
        num_values: Number of values of all attributes.
        pool: Side of the squares over which the image is averaged first.
        name: Name of the network.
    """
    image, values = keras.Input(image_shape), keras.Input((num_values,))
    pooled: Any = layers.AveragePooling2D(pool)(image) if pool > 1 else image
    height, width = pooled.shape[1:3]
    maps = layers.Reshape((height, width, num_values))(layers.RepeatVector(height * width)(values))
    stages = settings.discriminator_stages or num_stages(pooled.shape[1:], settings.base_side)
    tensor = layers.Concatenate()([pooled, maps])
    widest = settings.code_channels
    *_, tensor = _halvings(tensor, [min(settings.width * 2**s, widest) for s in range(stages)])
    dense = layers.Dense(1, kernel_initializer=_kernel_initializer())
    logit = output_activation("linear")(dense(layers.Flatten()(tensor)))
    return keras.Model([image, values], logit, name=name)


def _halved(image_shape: Sequence[int], stages: int) -> tuple[int, int]:
    height, width = (-(-side // 2**stages) for side in image_shape[:2])
    return height, width


def _check_sizes(channels: Sequence[int], image_shape: Sequence[int]) -> None:
    widths = [image_shape[-1], *channels]
    shapes = [(3, 3, *pair) for pair in zip(widths, channels, strict=False)]
    check_weights("encoder", *shapes)
    check_weights("decoder", (3, 3, 2 * channels[-1], channels[-1]), *shapes)


def _kernel_initializer() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=INITIAL_SCALE)


def _flat(maps):
    return ops.reshape(maps, (-1, math.prod(maps.shape[1:])))
