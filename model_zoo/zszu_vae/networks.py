"""The networks of the zs/zu model, and its mixture."""

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
    """The layers of the model, built, and what its training draws from.

    Attributes:
        zs_encoder: Observations to `zs`, `(batch, zs_dim)`.
        head: What the output of `zu_encoder` means, and the prior of `zu`.
        zu_encoder: Observations to what the head reads.
        decoder: `zs` and what the head makes of `zu`, side by side, to observations.
        adversary: `zu` to logits of the class.
        mixture: One Gaussian a class for `zs`.
        discriminator: Observations and labels to how real they look, or `None`.
        noise: Source of what training draws.
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
        """Decodes to the mean of the likelihood, `(batch, *image_shape)`."""
        zu = self.head.lift(latents["zu"])
        return self.decoder(ops.concatenate([latents["zs"], zu], axis=-1))

    def draw(self, loc, log_variance):
        """A sample of normals of some means and log variances, differentiable in both."""
        noise = keras.random.normal(ops.shape(loc), seed=self.noise)
        return loc + ops.exp(0.5 * log_variance) * noise


def build_networks(
    settings: ZsZuVAESettings, image_shape: tuple[int, ...], num_classes: int
) -> ZsZuNetworks:
    """Builds the layers for observations of a shape and a number of classes."""
    zs_dim, zu_dim = settings.zs_dim, settings.zu_dim
    architecture = settings.architecture(group_norm=settings.group_norm)
    zs_encoder = image_encoder(
        image_shape, zs_dim, architecture, dropout=settings.dropout, name="zs_encoder"
    )
    head = make_head(settings)
    return ZsZuNetworks(
        zs_encoder=zs_encoder,
        head=head,
        zu_encoder=image_encoder(image_shape, head.encoder_dim, architecture, name="zu_encoder"),
        decoder=image_decoder(zs_dim + head.decoder_dim, image_shape, architecture, name="decoder"),
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
        discriminator=make_discriminator(settings, image_shape, num_classes),
        noise=keras.random.SeedGenerator(settings.seed),
    )


def make_head(settings: ZsZuVAESettings) -> GaussianHead | StiefelHead:
    """What the encoder of `zu` ends in."""
    if settings.zu_head == "stiefel":
        return StiefelHead(settings.zu_dim, settings.zu_feature_dim, settings.seed, name="head")
    return GaussianHead(settings.zu_dim, name="head")


def make_discriminator(
    settings: ZsZuVAESettings, image_shape: tuple[int, ...], num_classes: int
) -> ProjectionDiscriminator | None:
    """The discriminator of the GAN form, `None` in the others."""
    if not settings.gan_weight:
        return None
    return ProjectionDiscriminator(
        image_shape,
        num_classes,
        width=settings.width,
        hidden_dim=settings.hidden_dim,
        convolutional=settings.network == "conv",
        name="discriminator",
    )
