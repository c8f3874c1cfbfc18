"""The codes and the translations of a training step of DRIT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from latentloom.model_zoo.drit.networks import DritNetworks
from latentloom.model_zoo.drit.settings import DritSettings


@dataclass(frozen=True)
class Codes:
    """Codes of a batch of images, in training.

    Attributes:
        content: Maps of content without noise, `(batch, h, w, c)`.
        noised: The same with noise.
        loc: Means of the style, `(batch, style_dim)`.
        log_variance: Log variances of the style.
        style: Drawn from them.
    """

    content: Any
    noised: Any
    loc: Any
    log_variance: Any
    style: Any


@dataclass(frozen=True)
class Translations:
    """Images made of the codes of a batch.

    Attributes:
        own: Each image from its own code.
        guided: Content of the other image of the pair, in the image's own domain and style.
        drawn: The same in a style from N(0, 1).
        redrawn: The same in another such style, or `None` without mode seeking.
        styles: The drawn styles, `(batch, style_dim)`.
        restyles: The other ones, or `None`.
    """

    own: Any
    guided: Any
    drawn: Any
    redrawn: Any
    styles: Any
    restyles: Any


def other_image(rows):
    """Returns the rows of the other image of each pair."""
    pairs = ops.reshape(rows, (-1, 2, *rows.shape[1:]))
    return ops.reshape(ops.flip(pairs, axis=1), (-1, *rows.shape[1:]))


def encode_noisily(settings: DritSettings, networks: DritNetworks, images) -> Codes:
    """Encodes images to content with noise and to a drawn style."""
    content = networks.content_encoder(images)
    loc, log_variance = networks.style(images)
    noise = networks.normal(ops.shape(content))
    return Codes(
        content=content,
        noised=content + settings.content_noise * noise,
        loc=loc,
        log_variance=log_variance,
        style=loc + ops.exp(0.5 * log_variance) * networks.normal(ops.shape(loc)),
    )


def translate(settings: DritSettings, networks: DritNetworks, codes: Codes, one_hot):
    """Makes all images of a step but the ones that come back, in one call of the generator."""
    other, shape = other_image(codes.noised), ops.shape(codes.style)
    drawn = [networks.normal(shape) for _ in range(2 if settings.mode_weight else 1)]
    count = 2 + len(drawn)
    content = ops.concatenate([codes.noised, *[other] * (count - 1)])
    style = ops.concatenate([codes.style, codes.style, *drawn])
    images = networks.generator([content, style, ops.concatenate([one_hot] * count)])
    parts = ops.split(images, count)
    return Translations(
        own=parts[0],
        guided=parts[1],
        drawn=parts[2],
        redrawn=parts[3] if settings.mode_weight else None,
        styles=drawn[0],
        restyles=drawn[1] if settings.mode_weight else None,
    )
