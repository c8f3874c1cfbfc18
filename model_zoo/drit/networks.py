"""The networks of DRIT: encoders of content and style, generator, critics, domain head."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
from keras import layers, ops

from latentloom.model_zoo.drit.blocks import CONTENT, LOOK
from latentloom.model_zoo.drit.generator import build_generator, residual_block
from latentloom.model_zoo.drit.layers import InstanceNorm
from latentloom.model_zoo.drit.settings import DritSettings
from latentloom.model_zoo.networks.architecture import num_stages
from latentloom.model_zoo.networks.discriminator import ProjectionDiscriminator
from latentloom.model_zoo.networks.encoder_decoder import output_activation
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture
from latentloom.model_zoo.networks.sizes import check_weights

BASE_SIDE = 4
"""Style encoder, critic and domain head halve the image until its longer side is at most this."""
ADVERSARY_SIDE = 2
"""The content adversary halves the content until its longer side is at most this."""
LEAK = 0.01
FIRST_KERNEL, KERNEL, STRIDED_KERNEL = 5, 3, 4
PRECISION_RANGE = (0.01, 1000.0)
TINY = 1e-6


@dataclass(frozen=True)
class DritNetworks:
    """The built layers of the model and the random source of training.

    Attributes:
        content_encoder: Maps images `(batch, height, width, channels)` to `(batch, h, w, c)`.
        style_encoder: Maps images to mean and log variance of the style, `(batch, 2 * style_dim)`.
        domain_head: Maps images to logits of the domains, `(batch, num_domains)`.
        generator: Maps `[content (batch, h, w, c), style, domain]` to images in `(-1, 1)`.
        critic: Maps images and domains `(batch,)` to realness scores, or `None` without one.
        adversary: Maps content to logits of the domains, or `None` without one.
        mixture: One Gaussian a class, which predicts the class from content, or `None` where the
            label is the domain.
        noise: Random source of training.
        content_shape: `(h, w, c)`.
        style_dim: Size of the style.
    """

    content_encoder: keras.Model
    style_encoder: keras.Model
    domain_head: keras.Model
    generator: keras.Model
    critic: ProjectionDiscriminator | None
    adversary: keras.Model | None
    mixture: ClassMixture | None
    noise: keras.random.SeedGenerator
    content_shape: tuple[int, int, int]
    style_dim: int

    def encode(self, images) -> dict:
        """Encodes images to the block of content, and to mean style and domain side by side."""
        domain = self.domain_of(images)
        loc, _ = self.style(images)
        content = ops.reshape(self.content_encoder(images), (-1, math.prod(self.content_shape)))
        return {CONTENT: content, LOOK: ops.concatenate([loc, domain], axis=-1)}

    def decode(self, latents: Mapping):
        """Decodes blocks to images; the one-hot of the domain may be a mixture of several."""
        content = ops.reshape(latents[CONTENT], (-1, *self.content_shape))
        look: Any = ops.convert_to_tensor(latents[LOOK])
        return self.generator([content, look[:, : self.style_dim], look[:, self.style_dim :]])

    def style(self, images) -> tuple:
        """Mean and log variance of the style of images, `(batch, style_dim)` each."""
        return moments(self.style_encoder(images))

    def domain_of(self, images):
        """One-hot of the most likely domain, `(batch, num_domains)`."""
        logits = self.domain_head(images)
        return ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1], dtype="float32")

    def features(self, content):
        """Mean and standard deviation of every channel of content, `(batch, 2 * channels)`."""
        maps = ops.reshape(content, (-1, *self.content_shape))
        variance = ops.var(maps, axis=(1, 2))
        return ops.concatenate([ops.mean(maps, axis=(1, 2)), ops.sqrt(variance + TINY)], axis=-1)

    def normal(self, shape):
        """Draws from N(0, 1)."""
        return keras.random.normal(shape, seed=self.noise)


def moments(encoded) -> tuple:
    """Splits the output of the style encoder into mean and log variance."""
    loc, log_variance = ops.split(encoded, 2, axis=-1)
    return loc, log_variance


def build_networks(
    settings: DritSettings, image_shape: tuple[int, ...], num_classes: int
) -> DritNetworks:
    """Builds the networks of the model.

    Raises:
        ValueError: A network would be too large.
    """
    _check_sizes(settings, image_shape)
    content_encoder = _content_encoder(settings, image_shape)
    content_shape = content_encoder.output_shape[1:]
    features = 2 * settings.content_channels
    mixture = None
    if settings.domain != "label":
        mixture = ClassMixture(
            num_classes, features, PRECISION_RANGE, name="mixture", dtype="float32"
        )
    return DritNetworks(
        content_encoder=content_encoder,
        style_encoder=_style_encoder(settings, image_shape),
        domain_head=_domain_head(settings, image_shape),
        generator=build_generator(settings, content_shape, image_shape),
        critic=_critic(settings, image_shape) if settings.gan_weight else None,
        adversary=_adversary(settings, content_shape) if settings.adversary_weight else None,
        mixture=mixture,
        noise=keras.random.SeedGenerator(settings.seed),
        content_shape=content_shape,
        style_dim=settings.style_dim,
    )


def _content_encoder(settings: DritSettings, image_shape: tuple[int, ...]) -> keras.Model:
    image = keras.Input(image_shape)
    tensor = layers.Conv2D(settings.width, FIRST_KERNEL, padding="same")(image)
    tensor = layers.LeakyReLU(LEAK)(tensor)
    for halving in range(settings.content_halvings):
        width = settings.width * 2 ** (halving + 1)
        tensor = layers.Conv2D(width, KERNEL, strides=2, padding="same")(tensor)
        tensor = layers.Activation("relu")(InstanceNorm()(tensor))
    for _ in range(settings.residual_blocks):
        tensor = residual_block(tensor, InstanceNorm())
    tensor = output_activation("linear")(layers.Conv2D(settings.content_channels, 1)(tensor))
    return keras.Model(image, tensor, name="content_encoder")


def _style_encoder(settings: DritSettings, image_shape: tuple[int, ...]) -> keras.Model:
    image = keras.Input(image_shape)
    tensor = _halved(image, _widths(settings, image_shape, most=4))
    pooled = layers.GlobalAveragePooling2D()(tensor)
    last = output_activation("linear")(layers.Dense(2 * settings.style_dim)(pooled))
    return keras.Model(image, last, name="style_encoder")


def _domain_head(settings: DritSettings, image_shape: tuple[int, ...]) -> keras.Model:
    image = keras.Input(image_shape)
    tensor = layers.Flatten()(_halved(image, _widths(settings, image_shape, most=2)))
    last = output_activation("linear")(layers.Dense(settings.num_domains)(tensor))
    return keras.Model(image, last, name="domain_head")


def _critic(settings: DritSettings, image_shape: tuple[int, ...]) -> ProjectionDiscriminator:
    return ProjectionDiscriminator(
        image_shape,
        settings.num_domains,
        width=settings.width,
        hidden_dim=settings.hidden_dim,
        convolutional=True,
        base_side=BASE_SIDE,
        name="critic",
    )


def _adversary(settings: DritSettings, content_shape: tuple[int, int, int]) -> keras.Model:
    content = tensor = keras.Input(content_shape)
    for _ in range(num_stages(content_shape, ADVERSARY_SIDE)):
        convolution = layers.Conv2D(settings.adversary_width, KERNEL, strides=2, padding="same")
        tensor = layers.LeakyReLU(LEAK)(convolution(tensor))
    logits = layers.Dense(settings.num_domains)(layers.Flatten()(tensor))
    return keras.Model(content, output_activation("linear")(logits), name="adversary")


def _widths(settings: DritSettings, image_shape: tuple[int, ...], most: int) -> list[int]:
    """Channels after every halving to `BASE_SIDE`: doubled each time, `most` times at most."""
    stages = num_stages(image_shape, BASE_SIDE)
    return [settings.width * min(2**stage, most) for stage in range(stages)]


def _halved(tensor: Any, widths: list[int]) -> Any:
    """Applies convolutions of stride 2, each with a ReLU, without normalisation."""
    for width in widths:
        convolution = layers.Conv2D(width, STRIDED_KERNEL, strides=2, padding="same")
        tensor = layers.Activation("relu")(convolution(tensor))
    return tensor


def _check_sizes(settings: DritSettings, image_shape: tuple[int, ...]) -> None:
    """Rejects networks before a layer is made."""
    channels, widest = image_shape[-1], settings.width * 2**settings.content_halvings
    convolutions = [(KERNEL, KERNEL, widest, widest)] * (2 * settings.residual_blocks + 1)
    check_weights("content_encoder", *convolutions, (widest, settings.content_channels))
    strided = pairwise([channels, *_widths(settings, image_shape, most=4)])
    check_weights("style_encoder", *((STRIDED_KERNEL, STRIDED_KERNEL, *pair) for pair in strided))
    width = settings.adversary_width
    inner = [(KERNEL, KERNEL, width, width)] * num_stages(image_shape, ADVERSARY_SIDE)
    check_weights("adversary", (KERNEL, KERNEL, settings.content_channels, width), *inner)
