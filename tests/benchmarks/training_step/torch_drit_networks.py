"""Generator and critic of the PyTorch twin of DRIT, and the layers of its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from training_step.torch_networks import Flatten, num_stages, strided_convolution

CRITIC_LEAK = 0.1
NORM_EPSILON, GROUP_EPSILON, TINY = 1e-5, 1e-3, 1e-12
HIDDEN_DIM, DOMAIN_DIM = 128, 64


def moments(encoded):
    """Mean and log variance, in float32."""
    return encoded.float().chunk(2, dim=-1)


def normalized(maps):
    """Channels of each image with mean 0 and variance 1."""
    return functional.instance_norm(maps.float(), eps=NORM_EPSILON).to(maps.dtype)


def strided(sides: Sequence[int], channels: int, filters: int, kernel: int) -> list[nn.Module]:
    """A convolution of stride 2 with its padding."""
    return strided_convolution(sides, channels, filters, kernel, bias=True)


class Residual(nn.Module):
    """Two convolutions, each with a normalisation, and the input added."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, maps, modulations=(None, None)):
        inner = functional.relu(modulated(self.first(maps), modulations[0]))
        return maps + modulated(self.second(inner), modulations[1])


def modulated(maps, modulation):
    """Instance normalisation, then a scale and a shift of every channel where there are some."""
    if modulation is None:
        return normalized(maps)
    scale, shift = modulation[:, :, None, None].chunk(2, dim=1)
    return normalized(maps) * (1 + scale) + shift


class Generator(nn.Module):
    """Content, style and one-hot of the domain to images in `(-1, 1)`."""

    def __init__(self, config: Mapping[str, Any], domains: int):
        super().__init__()
        widths = [config["width"] * 2**s for s in range(config["content_halvings"], -1, -1)]
        blocks, style = config["residual_blocks"], config["style_dim"]
        self.sizes = [2 * widths[0]] * (2 * blocks) + widths[1:]
        self.first = nn.Conv2d(config["content_channels"], widths[0], 1)
        self.hidden = nn.ModuleList(nn.Linear(style, HIDDEN_DIM) for _ in range(domains))
        self.heads = nn.ModuleList(nn.Linear(HIDDEN_DIM, DOMAIN_DIM) for _ in range(domains))
        self.joined = nn.Linear(DOMAIN_DIM + domains, HIDDEN_DIM)
        self.modulations = nn.Linear(HIDDEN_DIM, sum(self.sizes))
        self.blocks = nn.ModuleList(Residual(widths[0]) for _ in range(blocks))
        self.doublings = nn.ModuleList()
        for before, width in zip(widths, widths[1:], strict=False):
            convolution = nn.Conv2d(before, width, 3, padding=1)
            norm = nn.GroupNorm(1, width, eps=GROUP_EPSILON)
            self.doublings.append(nn.Sequential(nn.Upsample(scale_factor=2), convolution, norm))
        self.last = nn.Conv2d(widths[-1], config["observation_shape"][-1], 5, padding=2)

    def forward(self, content, style, one_hot):
        parts = iter(self._modulations(style, one_hot).split(self.sizes, dim=1))
        maps = self.first(content)
        for block in self.blocks:
            maps = block(maps, (next(parts), next(parts)))
        for doubling in self.doublings:
            maps = functional.relu(doubling(maps)) + next(parts)[:, :, None, None]
        return torch.tanh(self.last(maps).float())

    def _modulations(self, style, one_hot):
        """Scales and shifts of all layers."""
        pairs = zip(self.hidden, self.heads, one_hot.split(1, dim=1), strict=True)
        heads = [share * head(hidden(style).relu()).relu() for hidden, head, share in pairs]
        chosen = torch.cat([sum(heads), one_hot], dim=-1)
        return self.modulations(self.joined(chosen).relu())


def kernel_norm(kernel, direction, keep: bool):
    """The largest singular value of `(outputs, rows)` by one power iteration."""
    fixed = kernel.detach().T
    left = functional.normalize(direction @ fixed.T, eps=TINY)
    right = functional.normalize(left @ fixed, eps=TINY)
    if keep:
        direction.copy_(right)
    return (left @ kernel.T * right).sum() + TINY


class SpectralConvolution(nn.Conv2d):
    """A convolution of stride 2, its kernel divided by the largest singular value."""

    def __init__(self, channels: int, filters: int):
        super().__init__(channels, filters, 4, 2, padding=1)
        self.register_buffer("direction", torch.randn(1, filters))

    def forward(self, inputs):
        kernel = self.weight.permute(0, 2, 3, 1).flatten(1)
        norm = kernel_norm(kernel, self.direction, self.training)
        return self._conv_forward(inputs, self.weight / norm, self.bias)


class SpectralLinear(nn.Linear):
    """A dense layer, its kernel divided by the largest singular value."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True):
        super().__init__(inputs, outputs, bias=bias)
        self.register_buffer("direction", torch.randn(1, outputs))

    def forward(self, inputs):
        norm = kernel_norm(self.weight, self.direction, self.training)
        return functional.linear(inputs, self.weight / norm, self.bias)


class Critic(nn.Module):
    """Scores of images and domains, by projection."""

    def __init__(self, config: Mapping[str, Any], domains: int, base_side: int):
        super().__init__()
        *sides, channels = config["observation_shape"]
        stack: list[nn.Module] = []
        for stage in range(num_stages(sides, base_side)):
            filters = config["width"] * 2**stage
            stack += [SpectralConvolution(channels, filters), nn.LeakyReLU(CRITIC_LEAK, True)]
            sides, channels = [side // 2 for side in sides], filters
        stack.append(Flatten(sides, channels, config["channels_last"]))
        stack.append(SpectralLinear(sides[0] * sides[1] * channels, config["hidden_dim"]))
        self.features = nn.Sequential(*stack, nn.LeakyReLU(CRITIC_LEAK, inplace=True))
        self.realness = SpectralLinear(config["hidden_dim"], 1)
        self.class_embedding = SpectralLinear(domains, config["hidden_dim"], bias=False)
        self.domains = domains

    def forward(self, images, domains):
        features = self.features(images).float()
        classes = self.class_embedding(functional.one_hot(domains, self.domains).float())
        return self.realness(features)[:, 0] + (classes * features).sum(dim=-1)
