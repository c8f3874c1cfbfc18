"""The networks of the zs/zu model, and its mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentloom.model_zoo.networks.architecture import Architecture
from latentloom.model_zoo.networks.discriminator import ProjectionDiscriminator
from latentloom.model_zoo.networks.encoder_decoder import (
    classifier_head,
    image_decoder,
    image_encoder,
)
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture
from latentloom.model_zoo.zszu_vae.zu_heads import GaussianHead, StiefelHead

if TYPE_CHECKING:
    from latentloom.model_zoo.zszu_vae.zszu_vae import ZsZuVAE


def build_networks(model: ZsZuVAE) -> None:
    """Gives a model encoders, head of `zu`, decoder, adversary, mixture and maybe discriminator."""
    sizes = {
        "network": model.network,
        "width": model.width,
        "hidden_dim": model.hidden_dim,
        "kernel_size": model.kernel_size,
        "base_side": model.base_side,
        "group_norm": model.group_norm,
    }
    sizes = Architecture(**sizes)
    model.zs_encoder = image_encoder(
        model.image_shape, model.zs_dim, sizes, dropout=model.dropout, name="zs_encoder"
    )
    model.head = (
        StiefelHead(model.zu_dim, model.zu_feature_dim, model.seed, name="head")
        if model.zu_head == "stiefel"
        else GaussianHead(model.zu_dim, name="head")
    )
    model.zu_encoder = image_encoder(
        model.image_shape, model.head.encoder_dim, sizes, name="zu_encoder"
    )
    model.decoder = image_decoder(
        model.zs_dim + model.head.decoder_dim, model.image_shape, sizes, name="decoder"
    )
    model.adversary = classifier_head(
        model.zu_dim, model.num_classes, hidden_dim=model.hidden_dim, name="adversary"
    )
    model.mixture = ClassMixture(
        model.num_classes,
        model.zs_dim,
        learns_precision=model.precision == "learnt",
        name="mixture",
        dtype="float32",
    )
    model.discriminator = (
        ProjectionDiscriminator(
            model.image_shape,
            model.num_classes,
            width=model.width,
            hidden_dim=model.hidden_dim,
            convolutional=model.network == "conv",
            name="discriminator",
        )
        if model.gan_weight
        else None
    )
