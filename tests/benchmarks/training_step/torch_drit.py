"""The PyTorch twin of DRIT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from training_step.torch_drit_networks import (
    Critic,
    Generator,
    Residual,
    moments,
    normalized,
    strided,
)
from training_step.torch_mixture import Mixture, mixture_losses
from training_step.torch_networks import Flatten, frozen, num_stages
from training_step.torch_zszu_vae import kl_from_standard_normal

LEAK = 0.01
BASE_SIDE, ADVERSARY_SIDE = 4, 2
LARGEST_MODE_LOSS = 50.0
TINY_RATIO, TINY_VARIANCE = 1e-5, 1e-6


class DritTwin(nn.Module):
    """The twin of `model_zoo.drit.Drit`; its content stays a map."""

    known_only_with: Mapping[str, Any] = {"cir_weight": 0.0}

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config, self.weights = config, config["loss_weights"]
        self.domains = config["factor_sizes"][config["domain"]]
        *sides, _ = config["observation_shape"]
        self.content_sides = [side // 2 ** config["content_halvings"] for side in sides]
        self.content_encoder = self._content_encoder()
        self.style_encoder = self._style_encoder()
        self.domain_head = self._domain_head()
        self.generator = Generator(config, self.domains)
        if config["gan_weight"]:
            self.critic = Critic(config, self.domains, BASE_SIDE)
        if config["adversary_weight"]:
            self.adversary = self._adversary()
        if config["domain"] != "label":
            features = 2 * config["content_channels"]
            self.mixture = Mixture(config["num_classes"], features, (0.01, 1000.0))

    def _content_encoder(self) -> nn.Sequential:
        width, (*sides, channels) = self.config["width"], self.config["observation_shape"]
        stack: list[nn.Module] = [nn.Conv2d(channels, width, 5, padding=2), nn.LeakyReLU(LEAK)]
        for _ in range(self.config["content_halvings"]):
            stack += [*strided(sides, width, 2 * width, 3), Normalized(), nn.ReLU(inplace=True)]
            sides, width = [side // 2 for side in sides], 2 * width
        stack += [Residual(width) for _ in range(self.config["residual_blocks"])]
        return nn.Sequential(*stack, nn.Conv2d(width, self.config["content_channels"], 1))

    def _halvings(self, most: int) -> tuple[list[nn.Module], list[int], int]:
        """Convolutions to the base side with their ReLUs, the sides and the channels at the end."""
        *sides, channels = self.config["observation_shape"]
        stack: list[nn.Module] = []
        for stage in range(num_stages(sides, BASE_SIDE)):
            filters = self.config["width"] * min(2**stage, most)
            stack += [*strided(sides, channels, filters, 4), nn.ReLU(inplace=True)]
            sides, channels = [side // 2 for side in sides], filters
        return stack, sides, channels

    def _style_encoder(self) -> nn.Sequential:
        stack, _, channels = self._halvings(most=4)
        last = nn.Linear(channels, 2 * self.config["style_dim"])
        return nn.Sequential(*stack, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)

    def _domain_head(self) -> nn.Sequential:
        stack, sides, channels = self._halvings(most=2)
        flatten = Flatten(sides, channels, self.config["channels_last"])
        return nn.Sequential(
            *stack, flatten, nn.Linear(sides[0] * sides[1] * channels, self.domains)
        )

    def _adversary(self) -> nn.Sequential:
        sides, channels = self.content_sides, self.config["content_channels"]
        width, stack = self.config["adversary_width"], []
        for _ in range(num_stages(sides, ADVERSARY_SIDE)):
            stack += [*strided(sides, channels, width, 3), nn.LeakyReLU(LEAK, inplace=True)]
            sides, channels = [side // 2 for side in sides], width
        flatten = Flatten(sides, channels, self.config["channels_last"])
        return nn.Sequential(
            *stack, flatten, nn.Linear(sides[0] * sides[1] * channels, self.domains)
        )

    def noise(self, batch_size: int, device: str) -> tuple[torch.Tensor, ...]:
        """What is drawn in a step: content and style of images, styles, content and style again."""
        content = (batch_size, *self.content_sides, self.config["content_channels"])
        style = (batch_size, self.config["style_dim"])
        draws = 2 if self.config["mode_weight"] else 1
        shapes = [content, style, *[style] * draws, content, style]
        return tuple(torch.randn(shape, device=device) for shape in shapes)

    def encode(self, images, noises):
        """Content, content with noise, mean and log variance of the style, and a drawn one."""
        content, (content_noise, style_noise) = self.content_encoder(images).float(), noises
        loc, log_variance = moments(self.style_encoder(images))
        noised = content + self.config["content_noise"] * content_noise.permute(0, 3, 1, 2)
        style = loc + torch.exp(0.5 * log_variance) * style_noise
        return content, noised, loc, log_variance, style

    def forward(self, images, noise):
        """Codes; outside training the blocks, as Keras has them."""
        if self.training:
            return {"codes": self.encode(images, noise[:2])}
        domain = functional.one_hot(self.domain_head(images).argmax(dim=-1), self.domains)
        loc, _ = moments(self.style_encoder(images))
        content = self.content_encoder(images).float().permute(0, 2, 3, 1).flatten(1)
        return {"content": content, "look": torch.cat([loc, domain.float()], dim=-1)}

    def loss_terms(self, images, answers, outputs, noise):
        """`loss`, which is minimised, its terms without weights, and what training shows."""
        content, noised, loc, log_variance, style = outputs["codes"]
        domains, drawn = answers["domain"], noise[2:-2]
        one_hot = functional.one_hot(domains, self.domains).float()
        contents = [noised, *[other_image(noised)] * (1 + len(drawn))]
        own, guided, *made = self._images(contents, [style, style, *drawn], one_hot)
        back = self.encode(guided, noise[-2:])
        returned = self.generator(other_image(back[1]), back[4], one_hot)
        logits = self.domain_head(images).float()
        terms = {
            **self._errors(images, own, returned),
            "kl_loss": kl_from_standard_normal(loc, log_variance),
            "content_penalty": content.square().mean(),
            "style_loss": self._style_loss(made[0], drawn[0]),
            "domain_loss": functional.cross_entropy(logits, domains),
            **self._adversarial_losses(images, domains, noised, guided, made[0]),
            **self._optional_losses(content, back[0], made, drawn),
            **self._mixture_losses(content.detach(), answers["label"]),
        }
        return {
            **terms,
            "loss": sum(weight * terms[name] for name, weight in self.weights.items()),
            "content_scale": content.detach().std(dim=0, correction=0).mean(),
            "style_scale": loc.detach().std(dim=0, correction=0).mean(),
        }

    @staticmethod
    def _errors(images, own, returned):
        own_error, cycle_error = (functional.l1_loss(each, images) for each in (own, returned))
        squared = [functional.mse_loss(each, images) for each in (own, returned)]
        return {
            "reconstruction_loss": own_error,
            "cross_cycle_loss": cycle_error,
            "squared_loss": sum(squared),
            "cycle_loss": own_error + cycle_error,
        }

    def _optional_losses(self, content, back, made, drawn):
        terms = {}
        if self.config["content_weight"]:
            kept, found = other_image(content).detach(), self.content_encoder(made[0]).float()
            terms["content_loss"] = functional.l1_loss(back, kept) + functional.l1_loss(found, kept)
        if self.config["mode_weight"]:
            ratio = functional.l1_loss(*made) / functional.l1_loss(*drawn)
            terms["mode_loss"] = (2.0 / (ratio + TINY_RATIO)).clamp(max=LARGEST_MODE_LOSS)
        return terms

    def _images(self, contents, styles, one_hot):
        """What is made of several codes, in one call of the generator."""
        count = len(contents)
        images = self.generator(torch.cat(contents), torch.cat(styles), one_hot.repeat(count, 1))
        return images.chunk(count)

    def _style_loss(self, images, styles):
        with frozen(self.style_encoder) as encoder:
            loc, _ = moments(encoder(images))
        return functional.l1_loss(loc, styles)

    def _adversarial_losses(self, images, domains, noised, guided, drawn):
        terms = {}
        if self.config["adversary_weight"]:
            with frozen(self.adversary) as adversary:
                seen = functional.log_softmax(adversary(noised).float(), dim=-1)
            terms["confusion_loss"] = -seen.mean(dim=-1).mean()
            logits = self.adversary(noised.detach()).float()
            terms["adversary_loss"] = functional.cross_entropy(logits, domains)
        if self.config["gan_weight"]:
            critic, generator_loss = self.critic, 0.0
            critic_loss = functional.relu(1.0 - critic(images, domains)).mean()
            for made in (guided, drawn):
                critic_loss += functional.relu(1.0 + critic(made.detach(), domains)).mean()
                critic.train(False)
                with frozen(critic) as still:
                    generator_loss -= still(made, domains).mean()
                critic.train()
            terms |= {"discriminator_loss": critic_loss, "generator_loss": generator_loss}
        return terms

    def _mixture_losses(self, content, labels):
        """The loss of the mixture, and what it reads."""
        if self.config["domain"] == "label":
            return {}
        deviations = torch.sqrt(content.var(dim=(2, 3), correction=0) + TINY_VARIANCE)
        features = torch.cat([content.mean(dim=(2, 3)), deviations], dim=-1)
        class_loss, likelihood_loss, scores = mixture_losses(
            features, labels, self.mixture.loc, self.mixture.precision
        )
        accuracy = (scores.detach().argmax(dim=-1) == labels).float().mean()
        return {"mixture_loss": class_loss + likelihood_loss, "label_accuracy": accuracy}


class Normalized(nn.Module):
    """Instance normalisation without scale and shift."""

    def forward(self, maps):
        return normalized(maps)


def other_image(rows):
    """The rows of the other image of each pair."""
    return rows.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
