"""The blocks, the likelihood and the networks of the hierarchically factorised VAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from latentloom.model_zoo.hfvae.blocks import Block, CategoricalBlock, make_blocks
from latentloom.model_zoo.hfvae.likelihoods import LIKELIHOODS, Likelihood
from latentloom.model_zoo.hfvae.settings import HFVAESettings
from latentloom.model_zoo.networks.class_density import ClassDensity
from latentloom.model_zoo.networks.encoder_decoder import image_encoder

INITIALIZER = "he_normal"
"""Of layers that a ReLU follows. Keras' own lets them halve the signal, one after the other: after
1,750 steps on MNIST a categorical block told 0.6 nats in place of 1.1, and images were decoded with
7 % more error."""


@dataclass(frozen=True)
class HFVAENetworks:
    """The layers of the model, built, and what gives their inputs and outputs a meaning.

    Attributes:
        blocks: The blocks that are learnt, in order.
        label_block: The one that is tied to the label, or `None`.
        likelihood: What the decoder's output says of an observation.
        encoder: Observations to what the blocks read, side by side.
        decoder: The codes of all blocks, side by side, to what the likelihood reads.
        densities: By block, the density of its codes in every class, fitted after training; empty
            where a block is tied to the label.
    """

    blocks: Sequence[Block]
    label_block: CategoricalBlock | None
    likelihood: Likelihood
    encoder: keras.Sequential
    decoder: keras.Model
    densities: Mapping[str, Any]

    def moments(self, observations, training: bool = False) -> dict:
        """The posteriors of all blocks, as calling the model returns them."""
        encoded = self.encoder(self.likelihood.encoder_input(observations), training=training)
        moments, begin = {}, 0
        for block in self.blocks:
            moments |= block.moments(encoded[..., begin : begin + block.encoder_dim])
            begin += block.encoder_dim
        return moments

    def decode(self, latents, training: bool = False):
        """What the likelihood reads, decoded from one `(batch, dim)` tensor a block."""
        code = ops.concatenate([latents[block.name] for block in self.blocks], axis=-1)
        return self.decoder(code, training=training)


def build_networks(
    settings: HFVAESettings, image_shape: tuple[int, ...], num_classes: int
) -> HFVAENetworks:
    """Builds the layers for observations of a shape and a number of classes."""
    architecture = settings.architecture(kernel_initializer=INITIALIZER)
    likelihood = LIKELIHOODS[settings.likelihood](image_shape, settings)
    blocks = make_blocks(
        settings.blocks, num_classes, settings.temperature, settings.max_joint_classes
    )
    tied = [block for block in blocks if isinstance(block, CategoricalBlock) and block.factor]
    encoder_dim = sum(block.encoder_dim for block in blocks)
    encoder = image_encoder(image_shape, encoder_dim, architecture, name="encoder")
    decoder = likelihood.decoder(sum(block.dim for block in blocks), architecture)
    densities = {}
    if not tied:
        for block in blocks:
            densities[block.name] = block.class_density(num_classes, settings.num_components)
        for name, dim in likelihood.measured_blocks.items():
            densities[name] = ClassDensity(num_classes, 1, dim)
    label_block = tied[0] if tied else None
    return HFVAENetworks(blocks, label_block, likelihood, encoder, decoder, densities)
