"""The networks of GZS-Net."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
from keras import ops

from latentloom.model_zoo.gzs_net.blocks import columns_of
from latentloom.model_zoo.gzs_net.settings import GZSNetSettings
from latentloom.model_zoo.networks.encoder_decoder import image_decoder, image_encoder
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture

PRECISION_RANGE = (0.01, 1000.0)


@dataclass(frozen=True)
class GZSNetworks:
    """The built layers of the model and the random source of training.

    Attributes:
        encoder: Maps images `(batch, height, width, channels)` to codes, all blocks side by side.
        decoder: Maps codes to images.
        mixture: One Gaussian a class, which predicts the class from the block of the label.
        noise: Random source of the interpolation regulariser.
        block_dims: Sizes of the blocks, in order.
    """

    encoder: keras.Sequential
    decoder: keras.Model
    mixture: ClassMixture
    noise: keras.random.SeedGenerator
    block_dims: Mapping[str, int]

    def encode(self, images) -> dict:
        """Encodes images to one `(batch, dim)` tensor a block."""
        return self.split(self.encoder(images))

    def decode(self, latents):
        """Decodes blocks to images `(batch, height, width, channels)`."""
        return self.decoder(ops.concatenate([latents[b] for b in self.block_dims], axis=-1))

    def split(self, code) -> dict:
        """Splits codes `(..., sum of the sizes)` into one `(..., dim)` tensor a block."""
        blocks, begin = {}, 0
        for name, dim in self.block_dims.items():
            blocks[name] = code[..., begin : begin + dim]
            begin += dim
        return blocks


def build_networks(
    settings: GZSNetSettings, observation_shape: tuple[int, ...], num_classes: int
) -> GZSNetworks:
    """Builds the networks of the model."""
    architecture = settings.architecture(group_norm=settings.group_norm)
    block_dims = {name: block["dim"] for name, block in settings.latent_spec.items()}
    code_dim = sum(block_dims.values())
    return GZSNetworks(
        encoder=image_encoder(observation_shape, code_dim, architecture, name="encoder"),
        decoder=image_decoder(
            code_dim,
            observation_shape,
            architecture,
            rank=settings.rank,
            colour_columns=columns_of(settings.latent_spec, settings.colour_blocks),
            name="decoder",
        ),
        mixture=ClassMixture(
            num_classes, block_dims["label"], PRECISION_RANGE, name="mixture", dtype="float32"
        ),
        noise=keras.random.SeedGenerator(settings.seed),
        block_dims=block_dims,
    )
