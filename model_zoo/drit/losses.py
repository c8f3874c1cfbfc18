"""The terms of the loss of DRIT, before their weights.

    term                  gradients to
    reconstruction_loss   encoders, generator
    cross_cycle_loss      encoders, generator
    squared_loss          encoders, generator
    kl_loss               style encoder
    content_penalty       content encoder
    style_loss            content encoder, generator
    content_loss          encoders, generator
    mode_loss             content encoder, generator
    generator_loss        encoders, generator
    discriminator_loss    critic
    confusion_loss        content encoder
    adversary_loss        adversary
    domain_loss           domain head
    cir_loss              encoders, generator
    mixture_loss          mixture

The rows of a batch are pairs of images of two domains, side by side; see `DomainBatches`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from keras import losses, ops

from latentloom.model_zoo.drit.blocks import CONTENT, LOOK
from latentloom.model_zoo.drit.networks import DritNetworks, moments
from latentloom.model_zoo.drit.settings import DritSettings
from latentloom.model_zoo.drit.translations import (
    Codes,
    Translations,
    encode_noisily,
    other_image,
    translate,
)
from latentloom.model_zoo.losses.adversary import adversary_losses, call_frozen
from latentloom.model_zoo.losses.interpolation import cir_loss
from latentloom.model_zoo.losses.mixture import mixture_losses
from latentloom.model_zoo.networks.discriminator import hinge_losses

LARGEST_MODE_LOSS = 50.0
"""Bound of the mode-seeking term, which is 1e5 for a generator that ignores the style."""
TINY = 1e-5


def loss_terms(
    settings: DritSettings, networks: DritNetworks, images, answers: Mapping[str, Any]
) -> tuple[dict, dict]:
    """Returns the terms as scalars, and further figures; leaves out costly terms of weight 0.

    Args:
        settings: Settings of the model.
        networks: Networks of the model.
        images: `(batch, height, width, channels)`.
        answers: `domain` and `label` of every image; see `DomainBatches`.
    """
    domains = answers["domain"]
    one_hot = ops.one_hot(domains, settings.num_domains, dtype="float32")
    codes = encode_noisily(settings, networks, images)
    made = translate(settings, networks, codes, one_hot)
    back = encode_noisily(settings, networks, made.guided)
    returned = networks.generator([other_image(back.noised), back.style, one_hot])
    own_error, cycle_error = absolute(made.own, images), absolute(returned, images)
    mixture_terms, figures = _mixture_terms(networks, codes.content, answers["label"])
    terms = {
        "reconstruction_loss": own_error,
        "cross_cycle_loss": cycle_error,
        "squared_loss": squared(made.own, images) + squared(returned, images),
        "kl_loss": kl_loss(codes.loc, codes.log_variance),
        "content_penalty": ops.mean(ops.square(codes.content)),
        "style_loss": style_loss(networks, made.drawn, made.styles),
        "domain_loss": domain_loss(networks, images, domains),
        **adversarial_terms(settings, networks, (images, domains), codes, made),
        **_optional_terms(settings, networks, codes, made, back, one_hot),
        **mixture_terms,
    }
    return terms, figures | {
        "cycle_loss": own_error + cycle_error,
        "content_scale": ops.mean(ops.std(codes.content, axis=0)),
        "style_scale": ops.mean(ops.std(codes.loc, axis=0)),
    }


def _optional_terms(
    settings: DritSettings,
    networks: DritNetworks,
    codes: Codes,
    made: Translations,
    back: Codes,
    one_hot,
) -> dict:
    """Terms that cost calls of networks; without those of weight 0."""
    terms = {}
    if settings.content_weight:
        # With gradients to what is kept, content would shrink to a constant.
        kept = ops.stop_gradient(other_image(codes.content))
        found = networks.content_encoder(made.drawn)
        terms["content_loss"] = absolute(back.content, kept) + absolute(found, kept)
    if settings.mode_weight:
        terms["mode_loss"] = mode_loss(
            made.drawn - made.redrawn, ops.abs(made.styles - made.restyles)
        )
    if settings.cir_weight:
        terms["cir_loss"] = interpolation_loss(settings, networks, codes, one_hot)
    return terms


def absolute(found, wanted):
    """Mean absolute difference."""
    return ops.mean(ops.abs(found - wanted))


def squared(found, wanted):
    """Mean squared difference."""
    return ops.mean(ops.square(found - wanted))


def kl_loss(loc, log_variance):
    """KL divergence of normals from N(0, 1), in nats: a sum over dimensions, a mean over rows."""
    each = ops.square(loc) + ops.exp(log_variance) - 1.0 - log_variance
    return ops.mean(0.5 * ops.sum(each, axis=-1))


def style_loss(networks: DritNetworks, images, styles):
    """Mean absolute error of drawn styles, read from the images by the frozen style encoder.

    If the style encoder learnt from it, generator and encoder would hide styles in the pixels.
    """
    loc, _ = moments(call_frozen(networks.style_encoder, images))
    return absolute(loc, styles)


def mode_loss(image_differences, style_distances):
    """Twice the distance of two styles over that of their images, bounded.

    Both distances are means over the batch: the ratio of one image may be anything.

    Args:
        image_differences: Images in one style less images in another.
        style_distances: Absolute differences of the styles.
    """
    ratio = ops.mean(ops.abs(image_differences)) / ops.mean(style_distances)
    return ops.minimum(2.0 / (ratio + TINY), LARGEST_MODE_LOSS)


def adversarial_terms(
    settings: DritSettings, networks: DritNetworks, real, codes: Codes, made: Translations
) -> dict:
    """Terms of critic and generator, and of content adversary and content encoder.

    Args:
        settings: Settings of the model.
        networks: Networks of the model.
        real: Images and their domains.
        codes: Codes of the images.
        made: Images made of them.
    """
    _, domains = real
    terms = {}
    if networks.adversary:
        shares = [1.0 / settings.num_domains] * settings.num_domains  # as batches have them
        terms["confusion_loss"], terms["adversary_loss"] = adversary_losses(
            networks.adversary, codes.noised, domains, shares
        )
    if networks.critic:
        fakes = [(made.guided, domains), (made.drawn, domains)]
        terms["discriminator_loss"], terms["generator_loss"] = hinge_losses(
            networks.critic, real, fakes
        )
    return terms


def domain_loss(networks: DritNetworks, images, domains):
    """Cross-entropy of the domain head, in nats."""
    logits = networks.domain_head(images)
    return ops.mean(losses.sparse_categorical_crossentropy(domains, logits, from_logits=True))


def interpolation_loss(
    settings: DritSettings, networks: DritNetworks, codes: Codes, one_hot
) -> Any:
    """The interpolation regulariser, without noise: style moves and content stays, and vice versa.

    Style moves towards a draw from N(0, 1), content towards the next image of the same half.
    """
    latents = {LOOK: codes.loc, CONTENT: _flat(codes.content)}
    partners = {
        LOOK: networks.normal(ops.shape(codes.loc)),
        CONTENT: _flat(ops.roll(codes.content, 2, axis=0)),
    }

    def decode(moved: Mapping[str, Any]):
        content = ops.reshape(moved[CONTENT], (-1, *networks.content_shape))
        return networks.generator([content, moved[LOOK], one_hot])

    def encode_content(images) -> dict:
        return latents | {CONTENT: _flat(networks.content_encoder(images))}

    def encode_look(images) -> dict:
        return latents | {LOOK: networks.style(images)[0]}

    total = 0.0
    for place, name in enumerate(settings.cir_blocks or latents):
        held, weight = encode_content, 1.0
        if name == CONTENT:
            held, weight = encode_look, settings.cir_content_weight
        which = ops.full((ops.shape(one_hot)[0],), place, dtype="int32")
        total += weight * cir_loss(
            settings, held, decode, latents, networks.noise, partners=partners, which=which
        )
    return total


def _mixture_terms(networks: DritNetworks, content, labels) -> tuple[dict, dict]:
    """Loss and accuracy of the mixture, without gradients to content; none without a mixture."""
    if networks.mixture is None:
        return {}, {}
    features, mixture = ops.stop_gradient(networks.features(content)), networks.mixture
    class_loss, likelihood_loss = mixture_losses(features, labels, mixture.loc, mixture.precision)
    predicted = ops.cast(ops.argmax(mixture(features), axis=-1), "int32")
    accuracy = ops.mean(ops.cast(predicted == labels, "float32"))
    return {"mixture_loss": class_loss + likelihood_loss}, {"label_accuracy": accuracy}


def _flat(maps):
    return ops.reshape(maps, (-1, math.prod(maps.shape[1:])))
