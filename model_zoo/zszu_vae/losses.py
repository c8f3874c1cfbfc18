"""The terms of the loss of the zs/zu model, before their weights.

Stop-gradients route the terms to the networks:

    mixture         class and likelihood loss
    encoder of zs   class, likelihood and code loss, reconstruction
    encoder of zu   reconstruction, KL, confusion, MMD, total correlation, terms of its head
    adversary       adversary loss
    discriminator   discriminator loss
    decoder         reconstruction, consistency and generator loss

Both encoders and the decoder also learn from the interpolation regulariser, if it has a weight.
"""

from __future__ import annotations

import keras
from keras import ops

from latentloom.model_zoo.losses.adversary import adversary_losses, call_frozen
from latentloom.model_zoo.losses.divergences import class_total_correlation
from latentloom.model_zoo.losses.interpolation import cir_loss
from latentloom.model_zoo.losses.mixture import component_log_density, mixture_losses
from latentloom.model_zoo.losses.mmd import class_conditional_mmd
from latentloom.model_zoo.networks.discriminator import hinge_losses
from latentloom.model_zoo.zszu_vae.networks import ZsZuNetworks
from latentloom.model_zoo.zszu_vae.settings import ZsZuVAESettings

EVIDENCE_TERMS = ("class_loss", "likelihood_loss", "reconstruction_loss", "kl_zu")


def loss_terms(settings: ZsZuVAESettings, networks: ZsZuNetworks, x, labels, outputs) -> dict:
    """Returns every term as a scalar, in nats or in squared units of the input per pixel.

    Args:
        settings: Settings of the model.
        networks: Networks of the model.
        x: Observations, `(batch, height, width, channels)`.
        labels: `(batch,)` int32.
        outputs: Outputs of the model for the observations.
    """
    return {
        **_evidence_terms(settings, networks, x, labels, outputs),
        **_split_terms(settings, networks, labels, outputs),
        **_variant_terms(settings, networks, x, labels, outputs),
        **networks.head.penalties(outputs),
        **_interpolation_term(settings, networks, outputs),
    }


def _evidence_terms(settings: ZsZuVAESettings, networks: ZsZuNetworks, x, labels, outputs) -> dict:
    mixture = networks.mixture
    class_loss, likelihood_loss = mixture_losses(
        outputs["zs"], labels, mixture.loc, mixture.precision, settings.margin
    )
    return {
        "class_loss": class_loss,
        "likelihood_loss": likelihood_loss,
        "reconstruction_loss": ops.mean(ops.square(x - outputs["reconstruction"])),
        "kl_zu": networks.head.divergence(outputs),
    }


def _split_terms(settings: ZsZuVAESettings, networks: ZsZuNetworks, labels, outputs) -> dict:
    """Terms that keep the class in `zs` and out of `zu`."""
    shares, steps = settings.class_probabilities, settings.adversary_steps
    _, code_loss = mixture_losses(outputs["zs"], labels, *networks.mixture.frozen())
    confusion_loss, adversary_loss = adversary_losses(
        networks.adversary, outputs["zu"], labels, shares
    )
    for _ in range(steps - 1):
        drawn = ops.stop_gradient(networks.draw(outputs["zu_loc"], outputs["zu_log_variance"]))
        _, further = adversary_losses(networks.adversary, drawn, labels, shares)
        adversary_loss += further
    mmd_loss = tc_loss = ops.zeros(())
    if settings.mmd_weight:
        mmd_loss = class_conditional_mmd(outputs["zu"], labels, len(shares))
    if settings.tc_weight:
        tc_loss = _tc_loss(networks, labels, outputs)
    return {
        "code_loss": code_loss,
        "confusion_loss": confusion_loss,
        "adversary_loss": adversary_loss / steps,
        "mmd_loss": mmd_loss,
        "tc_loss": tc_loss,
    }


def _tc_loss(networks: ZsZuNetworks, labels, outputs):
    """Total correlation of the class predicted from `zs` and of `zu` with added unit noise.

    The posteriors of `zu` may lie so far apart that each code identifies its image. The total
    correlation then equals the entropy of the class and has no gradient. With noise as wide as the
    prior, a dimension has at most about `log(2) / 2` nats of mutual information with the image, and
    posteriors overlap. The total correlation is still 0 exactly if class and `zu` are independent,
    because Gaussian noise can be deconvolved.
    """
    scores = component_log_density(ops.stop_gradient(outputs["zs"]), *networks.mixture.frozen())
    log_variance = ops.softplus(outputs["zu_log_variance"])  # log(variance + 1)
    return class_total_correlation(
        networks.draw(outputs["zu_loc"], log_variance),
        outputs["zu_loc"],
        log_variance,
        labels,
        ops.log_softmax(scores),
    )


def _variant_terms(settings: ZsZuVAESettings, networks: ZsZuNetworks, x, labels, outputs) -> dict:
    """Terms of images decoded from a kept or drawn `zs` and a `zu` drawn from its prior."""
    nothing = ops.zeros(())
    if not (settings.consistency_weight or settings.gan_weight):
        return {"consistency_loss": nothing}
    part = slice(None, None, settings.variant_stride)
    x, labels, outputs = x[part], labels[part], {name: v[part] for name, v in outputs.items()}
    zs = ops.stop_gradient(outputs["zs"])
    share = settings.mixture_share
    kept_or_drawn = _partly_drawn(networks, zs, labels, share) if share else zs
    zu = networks.head.draw(outputs, networks.noise)
    variants = networks.decode({"zs": kept_or_drawn, "zu": zu})
    terms = {"consistency_loss": nothing}
    if settings.consistency_weight:
        codes = call_frozen(networks.zs_encoder, variants)
        terms["consistency_loss"], _ = mixture_losses(codes, labels, *networks.mixture.frozen())
    if settings.gan_weight:
        reconstruction = networks.decode({"zs": zs, "zu": ops.stop_gradient(outputs["zu"])})
        fakes = [(reconstruction, labels), (variants, labels)]
        terms["discriminator_loss"], terms["generator_loss"] = hinge_losses(
            networks.discriminator, (x, labels), fakes
        )
    return terms


def _interpolation_term(settings: ZsZuVAESettings, networks: ZsZuNetworks, outputs) -> dict:
    """The interpolation regulariser, on codes without noise, if it has a weight."""
    if not settings.cir_weight:
        return {}
    means = {"zs": outputs["zs"], "zu": outputs["zu_loc"]}
    encode, decode = networks.encode, networks.decode
    return {"cir_loss": cir_loss(settings, encode, decode, means, networks.noise)}


def _partly_drawn(networks: ZsZuNetworks, zs, labels, share: float):
    """Replaces a share of the codes of a batch by draws from the mixture of their class."""
    loc, precision = (ops.take(values, labels, axis=0) for values in networks.mixture.frozen())
    drawn = loc + ops.rsqrt(precision) * keras.random.normal(ops.shape(zs), seed=networks.noise)
    size = ops.shape(zs)[0]
    num_drawn = ops.cast(share * ops.cast(size, "float32"), "int32")
    return ops.where(ops.arange(size)[:, None] < num_drawn, drawn, zs)
