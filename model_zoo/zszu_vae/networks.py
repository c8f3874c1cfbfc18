"""The networks and the mixture of the zs/zu model."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import ops

from latentloom.model_zoo.networks.discriminator import ProjectionDiscriminator
from latentloom.model_zoo.networks.encoder_decoder import (
    classifier_head,
    image_decoder,
    image_encoder,
)
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture
from latentloom.model_zoo.zszu_vae.settings import ZsZuVAESettings
from latentloom.model_zoo.zszu_vae.zu_heads import GaussianHead, StiefelHead


@dataclass(frozen=True)
class ZsZuNetworks:
    """The built layers of the model and the random source of training.

    Attributes:
        zs_encoder: Maps observations to `zs`, `(batch, zs_dim)`.
        head: Posterior and prior of `zu`, given the output of `zu_encoder`.
        zu_encoder: Maps observations to the input of the head, `(batch, head.encoder_dim)`.
        decoder: Maps `zs` and the lifted `zu`, side by side, to observations.
        adversary: Maps `zu` to class logits.
        mixture: One Gaussian a class for `zs`.
        discriminator: Maps observations and labels to realness scores, or `None`.
        noise: Random source of training.
    """

    zs_encoder: keras.Sequential
    head: GaussianHead | StiefelHead
    zu_encoder: keras.Sequential
    decoder: keras.Model
    adversary: keras.Sequential
    mixture: ClassMixture
    discriminator: ProjectionDiscriminator | None
    noise: keras.random.SeedGenerator

    def encode(self, observations) -> dict:
        """Encodes to the point `zs` and the mean of the posterior of `zu`, without noise."""
        zu = self.head.moments(self.zu_encoder(observations))["zu_loc"]
        return {"zs": self.zs_encoder(observations), "zu": zu}

    def decode(self, latents):
        """Decodes to the mean of the likelihood, `(batch, *observation_shape)`."""
        zu = self.head.lift(latents["zu"])
        return self.decoder(ops.concatenate([latents["zs"], zu], axis=-1))

    def draw(self, loc, log_variance):
        """Draws from normals with these means and log variances, differentiable in both."""
        noise = keras.random.normal(ops.shape(loc), seed=self.noise)
        return loc + ops.exp(0.5 * log_variance) * noise


def build_networks(
    settings: ZsZuVAESettings, observation_shape: tuple[int, ...], num_classes: int
) -> ZsZuNetworks:
    """Builds the networks of the model."""
    zs_dim, zu_dim = settings.zs_dim, settings.zu_dim
    architecture = settings.architecture(group_norm=settings.group_norm)
    zs_encoder = image_encoder(
        observation_shape, zs_dim, architecture, dropout=settings.dropout, name="zs_encoder"
    )
    head = make_head(settings)
    return ZsZuNetworks(
        zs_encoder=zs_encoder,
        head=head,
        zu_encoder=image_encoder(
            observation_shape, head.encoder_dim, architecture, name="zu_encoder"
        ),
        decoder=image_decoder(
            zs_dim + head.decoder_dim, observation_shape, architecture, name="decoder"
        ),
        adversary=classifier_head(
            zu_dim, num_classes, hidden_dim=settings.hidden_dim, name="adversary"
        ),
        mixture=ClassMixture(
            num_classes,
            zs_dim,
            learns_precision=settings.precision == "learnt",
            name="mixture",
            dtype="float32",
        ),
        discriminator=make_discriminator(settings, observation_shape, num_classes),
        noise=keras.random.SeedGenerator(settings.seed),
    )


def make_head(settings: ZsZuVAESettings) -> GaussianHead | StiefelHead:
    """Makes the head of the encoder of `zu`."""
    if settings.zu_head == "stiefel":
        return StiefelHead(settings.zu_dim, settings.zu_feature_dim, settings.seed, name="head")
    return GaussianHead(settings.zu_dim, name="head")


def make_discriminator(
    settings: ZsZuVAESettings, observation_shape: tuple[int, ...], num_classes: int
) -> ProjectionDiscriminator | None:
    """Makes the discriminator; returns `None` if `gan_weight` is 0."""
    if not settings.gan_weight:
        return None
    return ProjectionDiscriminator(
        observation_shape,
        num_classes,
        width=settings.width,
        hidden_dim=settings.hidden_dim,
        convolutional=settings.network == "conv",
        name="discriminator",
    )
