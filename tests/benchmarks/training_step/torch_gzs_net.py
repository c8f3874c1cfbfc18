"""The PyTorch twin of the group-supervised zero-shot synthesis network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from training_step.torch_mixture import Mixture, mixture_losses
from training_step.torch_networks import KNOWN_NETWORKS, image_decoder, image_encoder

SYNTHESIS_TERMS = ("reconstruction_loss", "swap_loss", "cover_loss", "cycle_loss")


class GZSTwin(nn.Module):
    """The twin of `model_zoo.gzs_net.GZSNet`; its codes stay whole, blocks are dimensions."""

    known_only_with: Mapping[str, Any] = {
        **KNOWN_NETWORKS,
        "absolute_weight": 0.0,
        "cir_alpha": "dimension",
        "cir_distance": "mse",
        "cir_stop_gradient": False,
        "colour_blocks": [],
        "sharing_weight": 0.0,
    }
    factor_of: torch.Tensor
    choice_of: torch.Tensor

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config, self.weights = config, config["loss_weights"]
        self.dims = {name: block["dim"] for name, block in config["latent_spec"].items()}
        factors = [name for name, block in config["latent_spec"].items() if block["factors"]]
        self.num_factors, code_dim = len(factors), sum(self.dims.values())
        self.encoder = image_encoder(config, code_dim)
        self.decoder = image_decoder(config, code_dim)
        self.mixture = Mixture(config["num_classes"], self.dims["label"], (0.01, 1000.0))
        self.interpolated = list(config["cir_blocks"] or self.dims)
        self.register_buffer("factor_of", self._positions(factors), False)
        self.register_buffer("choice_of", self._positions(self.interpolated), False)

    def _positions(self, names: list[str]) -> torch.Tensor:
        """For every dimension of the code, where the name of its block is in a list, or -1."""
        blocks = [names.index(name) if name in names else -1 for name in self.dims]
        return torch.tensor(blocks).repeat_interleave(torch.tensor(list(self.dims.values())))

    def noise(self, batch_size: int, device: str) -> tuple[torch.Tensor, ...]:
        """What the regulariser draws in a step: a block, and a share of every dimension."""
        if not self.config["cir_weight"]:
            return ()
        which = torch.randint(len(self.interpolated), (batch_size, 1), device=device)
        dims = self.dims.values()
        return which, *(torch.rand((batch_size, dim), device=device) for dim in dims)

    def forward(self, images, noise):
        code = self.encode(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        blocks = code.split(list(self.dims.values()), dim=-1)
        return {**dict(zip(self.dims, blocks, strict=True)), "code": code}

    def encode(self, images):
        """Codes in float32, of images in one row."""
        return self.encoder(images).float()

    def decode(self, code):
        """Images in `(-1, 1)`; the tanh is in float32."""
        return torch.tanh(self.decoder(code).float())

    def loss_terms(self, images, answers, outputs, noise):
        """`loss`, which is minimised, its terms without weights, and what training shows."""
        centre, edge = outputs["code"][:, 0], answers["edge"]
        terms = self._decoding_errors(images, outputs["code"], answers)
        if self.config["cycle_weight"]:
            terms["cycle_loss"] = self._cycle_loss(images[:, 0], centre, edge)
        if self.config["cir_weight"]:
            terms["cir_loss"] = self._interpolation_loss(centre, noise)
        class_loss, likelihood_loss, scores = mixture_losses(
            outputs["label"][:, 0].detach(),
            answers["label"],
            self.mixture.loc,
            self.mixture.precision,
        )
        terms["mixture_loss"] = class_loss + likelihood_loss
        weighted = {name: self.weights[name] * term for name, term in terms.items()}
        synthesis_loss = sum(weighted[name] for name in SYNTHESIS_TERMS if name in weighted)
        figures = self._figures(centre.detach(), answers["label"], scores.detach())
        loss = sum(weighted.values())
        return {**terms, "loss": loss, "synthesis_loss": synthesis_loss, **figures}

    def _decoding_errors(self, images, codes, answers):
        """Errors of all that is decoded to the images of a group, in one call."""
        edge, is_relaxed = answers["edge"], images.shape[1] == 2
        rows = torch.arange(len(edge), device=edge.device)
        place = torch.ones_like(edge) if is_relaxed else 1 + edge
        centre, partner = codes[:, 0], codes[rows, place]
        pair = torch.cat([images[:, 0], images[rows, place]])
        wanted, decoded = {"reconstruction_loss": pair}, [centre, partner]
        if self.config["swap_weight"]:
            wanted["swap_loss"] = pair
            decoded += self.exchange(centre, partner, edge)
        if self.config["cover_weight"]:
            covered = slice(None) if self.config["cover_all"] else slice(1)
            wanted["cover_loss"] = images[:, covered].flatten(0, 1)
            decoded.append(self._cover(codes, answers["donors"][:, covered].flatten(0, 1)))
        found = self.decode(torch.cat(decoded)).split([len(w) for w in wanted.values()])
        return {
            name: functional.mse_loss(ours, theirs)
            for ours, (name, theirs) in zip(found, wanted.items(), strict=True)
        }

    def exchange(self, codes, others, edge):
        """Both codes after the block of the factor at `edge` changed hands."""
        moves = self.factor_of == edge[:, None]
        return [torch.where(moves, others, codes), torch.where(moves, codes, others)]

    def _cover(self, codes, donors):
        """Each factor's block from its donor; unlabelled ones are zero."""
        dimensions = torch.arange(codes.shape[-1], device=codes.device)
        covers = codes.flatten(0, 1)[donors[:, self.factor_of], dimensions]
        return torch.where(self.factor_of < 0, 0.0, covers)

    def _cycle_loss(self, image, centre, edge):
        mixed = torch.cat(self.exchange(centre, centre.roll(1, 0), edge))
        found, others = self.encode(self.decode(mixed)).chunk(2)
        back = self.exchange(found, others, edge)
        return functional.mse_loss(
            self.decode(torch.cat(back)), torch.cat([image, image.roll(1, 0)])
        )

    def _interpolation_loss(self, code, noise):
        which, share = noise[0], torch.cat(noise[1:], dim=-1)
        moves = self.choice_of == which
        moved = torch.where(moves, code + share * (code.roll(1, 0) - code), code)
        errors = (self.encode(self.decode(moved)) - code).square()
        return (torch.where(moves, 0.0, errors).sum(dim=-1) / (~moves).sum(dim=-1)).mean()

    def _figures(self, code, labels, scores):
        """What training shows beside the terms."""
        blocks = code.std(dim=0, correction=0).split(list(self.dims.values()))
        return {
            "label_accuracy": (scores.argmax(dim=-1) == labels).float().mean(),
            "code_scale": torch.stack([block.mean() for block in blocks]).mean(),
        }
