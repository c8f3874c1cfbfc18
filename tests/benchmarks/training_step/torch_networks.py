"""The networks of the PyTorch twins, like those of `model_zoo.networks.encoder_decoder`."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

LARGEST_BASE_SIDE = 8
KNOWN_NETWORKS = {"kernel_size": 4, "base_side": LARGEST_BASE_SIDE, "group_norm": False}
"""Hyperparameters of networks that are known here with these values only."""


@contextlib.contextmanager
def frozen(network: nn.Module) -> Iterator[nn.Module]:
    """The network as a constant: gradients reach its inputs but not its parameters."""
    network.requires_grad_(False)
    yield network
    network.requires_grad_(True)


class Flatten(nn.Module):
    """Images to vectors, in the order that costs no copy in the memory format."""

    def __init__(self, sides: Sequence[int], channels: int, channels_last: bool):
        super().__init__()
        self.shape, self.channels_last = (*sides, channels), channels_last

    def forward(self, images):
        images = images.permute(0, 2, 3, 1) if self.channels_last else images
        return images.flatten(1)

    def order(self) -> np.ndarray:
        """Where every element of the vector lies in Keras' vector."""
        positions = np.arange(math.prod(self.shape)).reshape(self.shape)
        return positions.ravel() if self.channels_last else positions.transpose(2, 0, 1).ravel()


class Unflatten(Flatten):
    """Vectors to images, the reverse of `Flatten`."""

    def forward(self, vectors):
        height, width, channels = self.shape
        if self.channels_last:
            return vectors.view(-1, height, width, channels).permute(0, 3, 1, 2)
        return vectors.view(-1, channels, height, width)


def strided_convolution(
    sides: Sequence[int], channels: int, filters: int, kernel: int, *, bias: bool
) -> list[nn.Module]:
    """A convolution of stride 2, padded as Keras pads "same", with its uneven rest at the end."""
    surplus = [max((math.ceil(s / 2) - 1) * 2 + kernel - s, 0) for s in sides]
    if not any(s % 2 for s in surplus):
        padding = (surplus[0] // 2, surplus[1] // 2)
        return [nn.Conv2d(channels, filters, kernel, 2, padding=padding, bias=bias)]
    (top, left) = (s // 2 for s in surplus)
    padding = (left, surplus[1] - left, top, surplus[0] - top)
    return [nn.ZeroPad2d(padding), nn.Conv2d(channels, filters, kernel, 2, bias=bias)]


def num_stages(image_shape: Sequence[int], base_side: int = LARGEST_BASE_SIDE) -> int:
    """Number of halvings, for sides that halve evenly."""
    stages = 0
    while math.ceil(max(image_shape[:2]) / 2**stages) > base_side:
        stages += 1
    if any(side % 2**stages for side in image_shape[:2]):
        raise ValueError(
            "The image has no PyTorch twin. "
            f"Expected: sides that are multiples of {2**stages}. "
            f"Received: image_shape={tuple(image_shape)}. Name other sides with `--image`."
        )
    return stages


def image_encoder(config: Mapping[str, Any], output_dim: int) -> nn.Sequential:
    """The twin of `model_zoo.networks.encoder_decoder.image_encoder`, without dropout."""
    height, width, channels = config["observation_shape"]
    hidden, last = config["hidden_dim"], config["channels_last"]
    stack: list[nn.Module] = []
    if config["network"] == "conv":
        for stage in range(num_stages(config["observation_shape"])):
            filters = config["width"] * 2**stage
            stack += strided_convolution((height, width), channels, filters, 4, bias=True)
            stack.append(nn.ReLU(inplace=True))
            height, width, channels = height // 2, width // 2, filters
        stack.append(Flatten((height, width), channels, last))
        size = height * width * channels
    else:
        size = 2 * hidden
        flat = Flatten((height, width), channels, last)
        stack += [flat, nn.Linear(height * width * channels, size), nn.ReLU(inplace=True)]
    stack += [nn.Linear(size, hidden), nn.ReLU(inplace=True)]
    return nn.Sequential(*stack, nn.Linear(hidden, output_dim))


def image_decoder(config: Mapping[str, Any], input_dim: int) -> nn.Module:
    """The twin of `model_zoo.networks.encoder_decoder.image_decoder`, without its tanh."""
    rank, hidden = config.get("rank", 0), config["hidden_dim"]
    maps = _maps(config, input_dim, rank or config["observation_shape"][-1])
    if not rank:
        return maps
    return Bilinear(maps, input_dim, hidden, rank, config["observation_shape"][-1])


class Bilinear(nn.Module):
    """Colours of the image, mixed by the softmax of maps; parameters in the order of Keras."""

    def __init__(self, maps: nn.Module, input_dim: int, hidden: int, rank: int, channels: int):
        super().__init__()
        self.maps = maps
        self.colours = nn.Sequential(
            nn.Linear(input_dim, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, rank * channels),
            nn.Unflatten(-1, (rank, channels)),
        )

    def forward(self, code):
        return torch.einsum("brhw,brc->bchw", self.maps(code).softmax(dim=1), self.colours(code))


def _maps(config: Mapping[str, Any], input_dim: int, channels: int) -> nn.Sequential:
    """Dense or transposed convolutional layers to images of some channels."""
    height, width, _ = config["observation_shape"]
    hidden, last = config["hidden_dim"], config["channels_last"]
    stack = [nn.Linear(input_dim, hidden), nn.ReLU(inplace=True)]
    if config["network"] == "dense":
        stack += [nn.Linear(hidden, 2 * hidden), nn.ReLU(inplace=True)]
        stack.append(nn.Linear(2 * hidden, height * width * channels))
        return nn.Sequential(*stack, Unflatten((height, width), channels, last))
    stages = num_stages(config["observation_shape"])
    base = (height // 2**stages, width // 2**stages)
    filters = config["width"] * 2 ** (stages - 1)
    stack += [nn.Linear(hidden, math.prod(base) * filters), nn.ReLU(inplace=True)]
    stack.append(Unflatten(base, filters, last))
    for stage in reversed(range(stages - 1)):
        fewer = config["width"] * 2**stage
        stack += [nn.ConvTranspose2d(filters, fewer, 4, 2, padding=1), nn.ReLU(inplace=True)]
        filters = fewer
    return nn.Sequential(*stack, nn.ConvTranspose2d(filters, channels, 4, 2, padding=1))
