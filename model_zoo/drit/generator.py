"""The generator of DRIT: from content to an image, in the look of a style and a domain."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import keras
from keras import layers

from latentloom.model_zoo.drit.layers import AdaptiveInstanceNorm, Upsampling, modulations
from latentloom.model_zoo.drit.settings import DritSettings
from latentloom.model_zoo.networks.encoder_decoder import output_activation

KERNEL, LAST_KERNEL = 3, 5


def build_generator(
    settings: DritSettings, content_shape: tuple[int, int, int], image_shape: tuple[int, ...]
) -> keras.Model:
    """Builds the generator: residual blocks in the style, then doublings in the style.

    If the halvings of content do not divide a side, the image is made larger and cropped.

    Returns:
        A network, `[content, style, one-hot of the domain]` to images in `(-1, 1)`.
    """
    widths = [settings.width * 2**stage for stage in range(settings.content_halvings, -1, -1)]
    sizes = [2 * widths[0]] * (2 * settings.residual_blocks) + widths[1:]
    content = keras.Input(content_shape)
    style, domain = keras.Input((settings.style_dim,)), keras.Input((settings.num_domains,))
    modulation = modulations(settings.style_dim, settings.num_domains, sum(sizes))([style, domain])
    ends = [sum(sizes[:count]) for count in range(len(sizes) + 1)]
    parts = iter([modulation[:, begin:end] for begin, end in pairwise(ends)])

    def norm(maps: Any) -> Any:
        return AdaptiveInstanceNorm()([maps, next(parts)])

    tensor = layers.Conv2D(widths[0], 1)(content)
    for _ in range(settings.residual_blocks):
        tensor = residual_block(tensor, norm)
    for width in widths[1:]:
        tensor = layers.Conv2D(width, KERNEL, padding="same")(Upsampling()(tensor))
        tensor = layers.Activation("relu")(layers.GroupNormalization(groups=1)(tensor))
        tensor = tensor + next(parts)[:, None, None]
    tensor = layers.Conv2D(image_shape[-1], LAST_KERNEL, padding="same")(
        _cropped(tensor, image_shape)
    )
    return keras.Model(
        [content, style, domain], output_activation("tanh")(tensor), name="generator"
    )


def residual_block(tensor: Any, norm: Callable[[Any], Any]) -> Any:
    """Two convolutions, each with a normalisation, a ReLU between them, and the input added."""
    width = tensor.shape[-1]
    inner = layers.Activation("relu")(norm(layers.Conv2D(width, KERNEL, padding="same")(tensor)))
    return tensor + norm(layers.Conv2D(width, KERNEL, padding="same")(inner))


def _cropped(tensor: Any, image_shape: tuple[int, ...]) -> Any:
    surplus = [side - wanted for side, wanted in zip(tensor.shape[1:3], image_shape, strict=False)]
    return layers.Cropping2D([(0, each) for each in surplus])(tensor) if any(surplus) else tensor
