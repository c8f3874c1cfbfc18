"""The PyTorch twin of the zs/zu variational auto-encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from training_step.torch_mixture import Mixture, mixture_losses
from training_step.torch_networks import (
    KNOWN_NETWORKS,
    frozen,
    image_decoder,
    image_encoder,
)

EVIDENCE_TERMS = ("class_loss", "likelihood_loss", "reconstruction_loss", "kl_zu")


class ZsZuTwin(nn.Module):
    """The twin of `model_zoo.zszu_vae.ZsZuVAE`."""

    known_only_with: Mapping[str, Any] = {
        **KNOWN_NETWORKS,
        "adversary_steps": 1,
        "cir_weight": 0.0,
        "dropout": 0.0,
        "gan_weight": 0.0,
        "mmd_weight": 0.0,
        "precision": "learnt",
        "tc_weight": 0.0,
    }
    shares: torch.Tensor

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config, classes = config, config["num_classes"]
        zs_dim, zu_dim, hidden = config["zs_dim"], config["zu_dim"], config["hidden_dim"]
        self.zs_encoder = image_encoder(config, zs_dim)
        self.zu_encoder = image_encoder(config, 2 * zu_dim)
        self.decoder = image_decoder(config, zs_dim + zu_dim)
        self.adversary = nn.Sequential(
            nn.Linear(zu_dim, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, classes)
        )
        self.mixture = Mixture(classes, zs_dim, (0.1, 10.0))
        self.register_buffer("shares", torch.tensor(config["class_probabilities"]), False)

    def noise(self, batch_size: int, device: str) -> tuple[torch.Tensor, ...]:
        """What is drawn in a step: for the posterior sample and for the consistency term."""
        dims = [self.config["zu_dim"]]
        if self.config["consistency_weight"]:
            dims += [self.config["zs_dim"]] if self.config["mixture_share"] else []
            dims += [self.config["zu_dim"]]
        return tuple(torch.randn((batch_size, dim), device=device) for dim in dims)

    def forward(self, images, noise):
        zs = self.zs_encoder(images).float()
        zu_loc, zu_log_variance = self.zu_encoder(images).float().chunk(2, dim=-1)
        zu = zu_loc + torch.exp(0.5 * zu_log_variance) * noise[0]
        named = {"zs": zs, "zu": zu, "zu_loc": zu_loc, "zu_log_variance": zu_log_variance}
        return {**named, "reconstruction": self.decode(zs, zu)}

    def decode(self, zs, zu):
        """Images in `(-1, 1)`; the tanh is in float32."""
        return torch.tanh(self.decoder(torch.cat([zs, zu], dim=-1)).float())

    def loss_terms(self, images, labels, outputs, noise):
        """`loss`, which is minimised, its terms without weights, and what training shows."""
        zs, config = outputs["zs"], self.config
        loc, precision = self.mixture.loc, self.mixture.precision
        still = (loc.detach(), precision.detach())
        class_loss, likelihood_loss, scores = mixture_losses(
            zs, labels, loc, precision, config["margin"]
        )
        terms = {
            "class_loss": class_loss,
            "likelihood_loss": likelihood_loss,
            "reconstruction_loss": functional.mse_loss(outputs["reconstruction"], images),
            "kl_zu": kl_from_standard_normal(outputs["zu_loc"], outputs["zu_log_variance"]),
            "code_loss": mixture_losses(zs, labels, *still)[1],
            **self._adversary_losses(outputs["zu"], labels),
        }
        if config["consistency_weight"]:
            variants = self.decode(self._partly_drawn(zs.detach(), labels, noise), noise[-1])
            with frozen(self.zs_encoder) as encoder:
                codes = encoder(variants).float()
            terms["consistency_loss"] = mixture_losses(codes, labels, *still)[0]
        accuracy = (scores.detach().argmax(dim=-1) == labels).float().mean()
        return {**terms, **self._weighted(terms), "zs_accuracy": accuracy}

    def _partly_drawn(self, zs, labels, noise):
        if not self.config["mixture_share"]:
            return zs
        precision = self.mixture.precision.detach()[labels]
        drawn = self.mixture.loc.detach()[labels] + precision.rsqrt() * noise[1]
        num_drawn = int(self.config["mixture_share"] * len(zs))
        return torch.cat([drawn[:num_drawn], zs[num_drawn:]])

    def _adversary_losses(self, zu, labels):
        with frozen(self.adversary) as adversary:
            seen = functional.log_softmax(adversary(zu).float(), dim=-1)
        own = functional.cross_entropy(self.adversary(zu.detach()).float(), labels)
        return {
            "confusion_loss": -(self.shares * seen).sum(dim=-1).mean(),
            "adversary_loss": own,
        }

    def _weighted(self, terms):
        weights = self.config["loss_weights"].items()
        weighted = {name: weight * terms[name] for name, weight in weights if weight}
        negative_elbo = sum(weighted[name] for name in EVIDENCE_TERMS if name in weighted)
        return {"loss": sum(weighted.values()), "negative_elbo": negative_elbo}


def kl_from_standard_normal(loc, log_variance):
    """Mean over the batch of the KL divergence of diagonal Gaussians from the standard one."""
    divergence = loc.square() + log_variance.exp() - 1.0 - log_variance
    return 0.5 * divergence.sum(dim=-1).mean()
