"""The family and the sizes of the networks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated

from pydantic import Field

from latentloom.model_zoo.arguments import Dim, Flag, Pixels, Width, check_types

SMALLEST_CONVOLUTIONAL_SIDE = 16
LARGEST_BASE_SIDE = 8


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Settings of encoders and decoders that every model has.

    Args:
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        width: Integer, channels of the outermost convolution; they double at each halving.
        hidden_dim: Integer, size of the dense layer next to the code; a dense network has another
            layer of twice that size before it. Or the sizes of all hidden dense layers of the
            encoder; the decoder has them in reverse.
        kernel_size: Integer, side of the convolution kernels, in pixels.
        base_side: Integer, pixels. Convolutions halve the image until its longer side is at most
            this.
    """

    network: str = "auto"
    width: Width = 32
    hidden_dim: Dim | Annotated[Sequence[Dim], Field(min_length=1)] = 256
    kernel_size: Annotated[int, Field(strict=True, ge=1, le=64)] = 4
    base_side: Pixels = LARGEST_BASE_SIDE

    def __post_init__(self) -> None:
        check_types(self)

    def architecture(self, **further) -> Architecture:
        """Returns the `Architecture` of these settings; `further` are its other arguments."""
        shared = {field.name: getattr(self, field.name) for field in fields(NetworkSettings)}
        return Architecture(**shared, **further)


@dataclass(frozen=True, kw_only=True)
class Architecture(NetworkSettings):
    """Family and sizes of encoders and decoders; `network` is `"conv"` or `"dense"`.

    Args:
        group_norm: Whether group normalisation follows every convolution but the decoder's last.
            Batch statistics would mix reconstructions with draws from the prior.
        kernel_initializer: Name of the initializer of kernels in layers before a ReLU.
    """

    group_norm: Flag = False
    kernel_initializer: str = "glorot_uniform"

    @property
    def hidden_sizes(self) -> list[int]:
        """Sizes of the hidden dense layers of an encoder, in order."""
        if isinstance(self.hidden_dim, int):
            is_conv = self.network == "conv"
            return [self.hidden_dim] if is_conv else [2 * self.hidden_dim, self.hidden_dim]
        return list(self.hidden_dim)


def resolve_network(network: str, image_shape: Sequence[int]) -> str:
    """Returns the family of networks for an image shape.

    Args:
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        image_shape: `(height, width, channels)` in pixels, or `(features,)` of a vector.

    Returns:
        `"conv"` or `"dense"`.

    Raises:
        ValueError: The name is unknown, or convolutions are asked for a small image or a vector.
    """
    if network not in ("auto", "conv", "dense"):
        raise ValueError(
            "The family of networks is unknown. Expected: one of auto, conv, dense. "
            f"Received: network={network!r}. Set `model.args.network` to one of these."
        )
    smallest = min(image_shape[:2]) if len(image_shape) == 3 else 1
    if network == "conv" and smallest < SMALLEST_CONVOLUTIONAL_SIDE:
        raise ValueError(
            "The image is too small for convolutional networks. "
            f"Expected: sides of at least {SMALLEST_CONVOLUTIONAL_SIDE} pixels. "
            f"Received: image_shape={tuple(image_shape)}. Set `model.args.network` to dense."
        )
    if network == "auto":
        return "conv" if smallest >= SMALLEST_CONVOLUTIONAL_SIDE else "dense"
    return network


def num_stages(image_shape: Sequence[int], base_side: int = LARGEST_BASE_SIDE) -> int:
    """Number of halvings after which the longer side is at most `base_side` pixels."""
    side, stages = max(image_shape[:2]), 0
    while side > base_side:
        side, stages = -(-side // 2), stages + 1
    return stages
