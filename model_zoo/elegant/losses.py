"""The terms of the loss of ELEGANT, before their weights.

    term                  gradients to
    reconstruction_loss   encoder, decoder
    generator_loss        encoder, decoder
    discriminator_loss    discriminators
    change_loss           encoder, decoder
    back_loss             encoder, decoder
    restore_loss          encoder, decoder
    cir_loss              encoder, decoder
    mixture_loss          mixture

A batch holds pairs. All tensors below have the first images of all pairs, then the second ones, so
that the other image of a pair is half the tensor away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from latentloom.model_zoo.elegant.networks import ElegantNetworks
from latentloom.model_zoo.elegant.settings import ElegantSettings
from latentloom.model_zoo.losses.adversary import call_frozen
from latentloom.model_zoo.losses.interpolation import cir_loss
from latentloom.model_zoo.losses.mixture import mixture_losses

DISCRIMINATOR_WEIGHTS = (1.0, 0.5)
"""Weights of the discriminators at full and at half size."""


def loss_terms(
    settings: ElegantSettings, networks: ElegantNetworks, pairs, answers: Mapping[str, Any]
) -> tuple[dict, dict]:
    """Returns every term as a scalar, without terms of weight 0, and further figures.

    Args:
        settings: Settings of the model.
        networks: Networks of the model.
        pairs: `(batch, 2, height, width, channels)`.
        answers: `first`, `second` and `edge` of every pair; see `PairBatches`.
    """
    images = ops.concatenate([pairs[:, 0], pairs[:, 1]])
    values = ops.concatenate([answers["first"], answers["second"]])
    edge = ops.concatenate([answers["edge"], answers["edge"]])
    stages = networks.stages(images)
    codes = networks.attributes(stages)
    again = networks.change(images, stages, codes)
    made = networks.change(images, stages, exchange(codes, edge))
    terms = {"reconstruction_loss": ops.mean(ops.square(again - images))}
    if settings.gan_weight:
        told = {name: values[:, 1 + place] for place, name in enumerate(settings.attributes)}
        real, fake = one_hots(settings, told), one_hots(settings, exchange(told, edge))
        terms["generator_loss"], terms["discriminator_loss"] = adversarial_losses(
            networks.discriminators, (images, real), (made, fake)
        )
    if settings.change_weight:
        terms["change_loss"] = 2 * ops.mean(ops.abs(made - images))
    if settings.back_weight:
        terms["back_loss"] = back_loss(networks, made, images, edge)
    if settings.restore_weight:
        terms["restore_loss"] = restore_loss(networks, made, images, codes, edge)
    if settings.cir_weight:
        terms["cir_loss"] = cir_loss(
            settings,
            lambda observations: networks.attributes(networks.stages(observations)),
            lambda latents: networks.change(images, stages, latents),
            codes,
            networks.noise,
            partners={name: other_image(code) for name, code in codes.items()},
            which=None if settings.cir_blocks else edge,
        )
    features, mixture = ops.stop_gradient(networks.features(stages)), networks.mixture
    label = values[:, 0]
    class_loss, likelihood_loss = mixture_losses(features, label, mixture.loc, mixture.precision)
    predicted = ops.cast(ops.argmax(mixture(features), axis=-1), "int32")
    scales = ops.stack([ops.mean(ops.std(code, axis=0)) for code in codes.values()])
    figures = {
        "label_accuracy": ops.mean(ops.cast(predicted == label, "float32")),
        "code_scale": ops.mean(scales),
    }
    return terms | {"mixture_loss": class_loss + likelihood_loss}, figures


def other_image(tensor):
    """Returns the rows of the other image of each pair."""
    half = ops.shape(tensor)[0] // 2
    return ops.concatenate([tensor[half:], tensor[:half]])


def exchange(columns: Mapping[str, Any], edge) -> dict:
    """Exchanges one attribute between the images of each pair.

    Args:
        columns: `(2 * batch, ...)` by attribute.
        edge: Position of the attribute to exchange, `(2 * batch,)`.
    """
    moved = {}
    for position, (name, column) in enumerate(columns.items()):
        moves = ops.reshape(edge == position, (-1, *[1] * (len(column.shape) - 1)))
        moved[name] = ops.where(moves, other_image(column), column)
    return moved


def one_hots(settings: ElegantSettings, values: Mapping[str, Any]):
    """Values of all attributes as one-hots side by side, `(n, sum of the numbers of values)`."""
    sizes = settings.factor_sizes
    parts = [ops.one_hot(values[name], sizes[name]) for name in settings.attributes]
    return ops.concatenate(parts, axis=-1)


def adversarial_losses(discriminators: Sequence[keras.Model], real, fake) -> tuple:
    """Losses of the decoder that makes images and of the discriminators, in nats.

    Args:
        discriminators: Networks from `[images, values]` to logits, at full and at half size.
        real: Real images and their values as one-hots.
        fake: Images that were made, and the values that they should have.

    Returns:
        `(generator_loss, discriminator_loss)`: the first reaches only the images that were made,
        the second only the discriminators. If all logits of two discriminators are 0, they are
        3 ln 2 and 1.5 ln 2.
    """
    images, values = fake
    generator_loss = discriminator_loss = 0.0
    for weight, network in zip(DISCRIMINATOR_WEIGHTS, discriminators, strict=False):
        hidden = call_frozen(network, [images, values])
        generator_loss += 2 * weight * ops.mean(ops.softplus(-hidden))
        is_real = network(list(real), training=True)
        is_fake = network([ops.stop_gradient(images), values], training=True)
        found = ops.mean(ops.softplus(-is_real)) + ops.mean(ops.softplus(is_fake))
        discriminator_loss += weight * found / 2
    return generator_loss, discriminator_loss


def back_loss(networks: ElegantNetworks, made, images, edge):
    """Mean absolute error after the attribute is exchanged back, of both images of a pair added.

    The second image can get its own frame back only from the first one made, so that frame must be
    in it. But the decoder may also hide the frame in the pixels of the second one.
    """
    stages = networks.stages(made)
    back = networks.change(made, stages, exchange(networks.attributes(stages), edge))
    return 2 * ops.mean(ops.abs(back - images))


def restore_loss(networks: ElegantNetworks, made, images, codes: Mapping[str, Any], edge):
    """Mean absolute error after each image gets its own attribute back, of a pair added.

    The made image has the attribute of the other one; with the block of the image itself on it, the
    image must come back. So a block must hold the looks of an attribute, and the decoder draw them.
    No gradient reaches the made image: it need not hide what was taken from it.
    """
    held, stages = ops.stop_gradient(made), networks.stages(ops.stop_gradient(made))
    own = networks.attributes(stages)
    mixed = {
        name: ops.where(ops.expand_dims(edge == place, -1), codes[name], own[name])
        for place, name in enumerate(own)
    }
    return 2 * ops.mean(ops.abs(networks.change(held, stages, mixed) - images))
