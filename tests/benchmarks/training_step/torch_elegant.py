"""The PyTorch twin of ELEGANT."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from training_step.torch_mixture import Mixture, mixture_losses
from training_step.torch_networks import Flatten, frozen, num_stages, strided_convolution

LEAK = 0.2
RESIDUAL_SCALE = 2.0
LEAST_TWO_SIDES = 32
DISCRIMINATOR_WEIGHTS = (1.0, 0.5)
TINY = 1e-12


class UnitChannels(nn.Module):
    """Channels divided by their norm; `weight` and `bias` are the scale and the shift of Keras."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def forward(self, inputs):
        values = inputs.float()
        scale = self.weight * torch.rsqrt(values.square().sum(dim=1, keepdim=True) + TINY)
        return (values * scale + self.bias).to(inputs.dtype)


class Halvings(nn.ModuleList):
    """Convolutions of stride 2, which return the maps after each of them."""

    def __init__(self, sides: Sequence[int], channels: int, widths: Sequence[int]):
        super().__init__()
        for width in widths:
            convolution = strided_convolution(sides, channels, width, 3, bias=True)
            activation = nn.LeakyReLU(LEAK, inplace=True)
            self.append(nn.Sequential(*convolution, UnitChannels(), activation))
            sides, channels = halved(sides), width

    def forward(self, maps):
        stages = []
        for halving in self:
            maps = halving(maps)
            stages.append(maps)
        return stages


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution of stride 2, padded as Keras pads "same": cropped at the end."""

    def __init__(self, channels: int, filters: int):
        super().__init__(channels, filters, 3, 2)

    def forward(self, inputs):
        return super().forward(inputs)[..., :-1, :-1]


class Doublings(nn.ModuleList):
    """The decoder without its tanh; maps of the encoder are added after each ReLU."""

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        *inner, last = pairwise(widths)
        for pair in inner:
            self.append(nn.Sequential(Doubling(*pair), UnitChannels(), nn.ReLU(inplace=True)))
        self.append(Doubling(*last))

    def forward(self, code, skips):
        *inner, last = self
        for doubling, skip in zip(inner, skips, strict=True):
            code = doubling(code) + skip
        return last(code)


class Discriminator(nn.Module):
    """Logits of images and values, at the size of the image divided by `pool`."""

    def __init__(self, config: Mapping[str, Any], pool: int):
        super().__init__()
        height, width, channels = config["observation_shape"]
        sides = (height // pool, width // pool)
        num_values = sum(config["factor_sizes"][name] for name in config["attributes"])
        stages = config["discriminator_stages"] or num_stages(sides, config["base_side"])
        widths = [min(config["width"] * 2**s, config["code_channels"]) for s in range(stages)]
        self.pool = nn.AvgPool2d(pool) if pool > 1 else nn.Identity()
        self.halvings = Halvings(sides, channels + num_values, widths)
        sides = halved(sides, stages)
        self.flatten = Flatten(sides, widths[-1], config["channels_last"])
        self.logit = nn.Linear(math.prod(sides) * widths[-1], 1)

    def forward(self, images, values):
        pooled = self.pool(images)
        maps = values[:, :, None, None].expand(-1, -1, *pooled.shape[2:])
        *_, last = self.halvings(torch.cat([pooled, maps], dim=1))
        return self.logit(self.flatten(last)).float()


class ElegantTwin(nn.Module):
    """The twin of `model_zoo.elegant.Elegant`; its code stays a map, attributes are channels.

    The images of a pair lie side by side in a batch, while Keras has all first ones before.
    """

    known_only_with: Mapping[str, Any] = {
        "cir_alpha": "example",
        "cir_blocks": None,
        "cir_distance": "mae",
        "cir_stop_gradient": False,
    }
    attribute_of: torch.Tensor

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config, self.weights = config, config["loss_weights"]
        self.sizes = [config["factor_sizes"][name] for name in config["attributes"]]
        *sides, channels = config["observation_shape"]
        stages, widest = num_stages(sides, config["base_side"]), config["code_channels"]
        widths = [*(min(config["width"] * 2**s, widest) for s in range(stages - 1)), widest]
        self.encoder = Halvings(sides, channels, widths)
        self.decoder = Doublings([2 * widest, *reversed(widths[:-1]), channels])
        pools = (1, 2) if min(sides) >= LEAST_TWO_SIDES else (1,)
        self.discriminators = nn.ModuleList(
            Discriminator(config, pool) for pool in pools if config["gan_weight"]
        )
        self.area = math.prod(halved(sides, stages))
        self.mixture = Mixture(config["num_classes"], self.area * widest, (0.01, 1000.0))
        dims = [config["latent_spec"][name]["dim"] for name in config["attributes"]]
        self.cuts = [dim // self.area for dim in dims]
        positions = torch.arange(len(dims)).repeat_interleave(torch.tensor(self.cuts))
        self.register_buffer("attribute_of", positions[:, None, None], False)

    def noise(self, batch_size: int, device: str) -> tuple[torch.Tensor, ...]:
        """What the regulariser draws in a step: a share of each image for every attribute."""
        drawn = self.cuts if self.config["cir_weight"] else ()
        return tuple(torch.rand((2 * batch_size, 1), device=device) for _ in drawn)

    def forward(self, images, noise):
        """Maps of all stages; outside training the blocks, as Keras has them."""
        stages = self.encoder(images.flatten(0, 1))
        if self.training:
            return {"stages": stages}
        code = stages[-1].float().permute(0, 2, 3, 1).split(self.cuts, dim=-1)
        blocks = [block.flatten(1).unflatten(0, (-1, 2)) for block in code]
        source = images.permute(0, 1, 3, 4, 2).flatten(2)
        return {**dict(zip(self.config["attributes"], blocks, strict=True)), "source": source}

    def change(self, images, stages, latents):
        """Adds the residual that gives images the attributes of a code."""
        *skips, own = stages
        residual = self.decoder(torch.cat([latents, own.float()], dim=1), reversed(skips))
        return (images + RESIDUAL_SCALE * torch.tanh(residual.float())).clamp(-1.0, 1.0)

    def loss_terms(self, images, answers, outputs, noise):
        """`loss`, which is minimised, its terms without weights, and what training shows."""
        images, edge = images.flatten(0, 1), answers["edge"].repeat_interleave(2)
        values = torch.stack([answers["first"], answers["second"]], dim=1).flatten(0, 1)
        stages, config = outputs["stages"], self.config
        code = stages[-1].float()
        moves = self.attribute_of == edge[:, None, None, None]
        again = self.change(images, stages, code)
        made = self.change(images, stages, torch.where(moves, other_image(code), code))
        terms = {"reconstruction_loss": functional.mse_loss(again, images)}
        if config["gan_weight"]:
            terms |= self._adversarial_losses(images, made, values[:, 1:], edge)
        if config.get("change_weight", 0.0):
            terms["change_loss"] = 2 * functional.l1_loss(made, images)
        if config["back_weight"]:
            terms["back_loss"] = self._back_loss(made, images, moves)
        if config["restore_weight"]:
            terms["restore_loss"] = self._restore_loss(made.detach(), images, code, moves)
        if config["cir_weight"]:
            share = torch.cat(noise, dim=-1).unflatten(0, (2, -1)).transpose(0, 1).flatten(0, 1)
            share = share.gather(1, edge[:, None])[:, :, None, None]
            terms["cir_loss"] = self._interpolation_loss(images, stages, code, moves, share)
        terms["mixture_loss"], figures = self._mixture_loss(code.detach(), values[:, 0])
        loss = sum(self.weights[name] * term for name, term in terms.items())
        return {**terms, "loss": loss, **figures}

    def _adversarial_losses(self, images, made, values, edge):
        told = torch.arange(values.shape[1], device=edge.device) == edge[:, None]
        wanted = torch.where(told, other_image(values), values)
        real, fake = self._one_hots(values), self._one_hots(wanted)
        generator_loss = discriminator_loss = 0.0
        for weight, network in zip(DISCRIMINATOR_WEIGHTS, self.discriminators, strict=False):
            with frozen(network) as still:
                hidden = still(made, fake)
            generator_loss += 2 * weight * functional.softplus(-hidden).mean()
            is_real, is_fake = network(images, real), network(made.detach(), fake)
            found = functional.softplus(-is_real).mean() + functional.softplus(is_fake).mean()
            discriminator_loss += weight * found / 2
        return {"generator_loss": generator_loss, "discriminator_loss": discriminator_loss}

    def _one_hots(self, values):
        """Values of all attributes as one-hots side by side."""
        columns = zip(values.unbind(dim=1), self.sizes, strict=True)
        return torch.cat([functional.one_hot(c, size) for c, size in columns], dim=1).float()

    def _back_loss(self, made, images, moves):
        stages = self.encoder(made)
        found = stages[-1].float()
        back = self.change(made, stages, torch.where(moves, other_image(found), found))
        return 2 * functional.l1_loss(back, images)

    def _restore_loss(self, held, images, code, moves):
        stages = self.encoder(held)
        mixed = torch.where(moves, code, stages[-1].float())
        return 2 * functional.l1_loss(self.change(held, stages, mixed), images)

    def _interpolation_loss(self, images, stages, code, moves, share):
        moved = torch.where(moves, code + share * (other_image(code) - code), code)
        *_, found = self.encoder(self.change(images, stages, moved))
        errors = torch.where(moves, 0.0, (found.float() - code).abs()).sum(dim=(1, 2, 3))
        return (errors / (self.area * (~moves).sum(dim=(1, 2, 3)))).mean()

    def _mixture_loss(self, code, labels):
        """The loss of the mixture, and what training shows beside the terms."""
        features = math.sqrt(code.shape[1]) * code.permute(0, 2, 3, 1).flatten(1)
        class_loss, likelihood_loss, scores = mixture_losses(
            features, labels, self.mixture.loc, self.mixture.precision
        )
        blocks = code.std(dim=0, correction=0).split(self.cuts)
        return class_loss + likelihood_loss, {
            "label_accuracy": (scores.detach().argmax(dim=-1) == labels).float().mean(),
            "code_scale": torch.stack([block.mean() for block in blocks]).mean(),
        }


def halved(sides: Sequence[int], times: int = 1) -> list[int]:
    """Sides after some halvings, which round up."""
    return [-(-side // 2**times) for side in sides]


def other_image(rows):
    """The rows of the other image of each pair."""
    return rows.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
