"""The terms of the loss of the zs/zu model, before their weights.

Stop-gradients route them. `mixture` learns from class and likelihood loss; the encoder of `zs`
from these, from code loss and reconstruction; the encoder of `zu` from reconstruction, KL,
confusion, MMD and total correlation; the adversary from adversary loss alone; the discriminator
from discriminator loss alone; the decoder from reconstruction, consistency and generator loss. All
three networks learn from the interpolation regulariser, where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import ops

from latentloom.model_zoo.losses.adversary import adversary_losses, call_frozen
from latentloom.model_zoo.losses.divergences import class_total_correlation
from latentloom.model_zoo.losses.interpolation import cir_loss
from latentloom.model_zoo.losses.mixture import component_log_density, mixture_losses
from latentloom.model_zoo.losses.mmd import class_conditional_mmd
from latentloom.model_zoo.networks.discriminator import hinge_losses

if TYPE_CHECKING:
    from latentloom.model_zoo.zszu_vae.zszu_vae import ZsZuVAE

EVIDENCE_TERMS = ("class_loss", "likelihood_loss", "reconstruction_loss", "kl_zu")


def loss_terms(model: ZsZuVAE, x, labels, outputs) -> dict:
    """Every term as a scalar: nats, or squared units of the input per pixel.

    Args:
        model: The model.
        x: Observations, `(batch, height, width, channels)`.
        labels: `(batch,)` int32.
        outputs: What calling the model on the observations gave.
    """
    means = {"zs": outputs["zs"], "zu": outputs["zu_loc"]}
    return {
        **_evidence_terms(model, x, labels, outputs),
        **_split_terms(model, labels, outputs),
        **_variant_terms(model, x, labels, outputs),
        **model.head.penalties(outputs),
        **(
            {"cir_loss": cir_loss(model, model.encode, model.decode, means, model.noise)}
            if model.cir_weight
            else {}
        ),
    }


def _evidence_terms(model: ZsZuVAE, x, labels, outputs) -> dict:
    mixture = model.mixture
    class_loss, likelihood_loss = mixture_losses(
        outputs["zs"], labels, mixture.loc, mixture.precision, model.margin
    )
    return {
        "class_loss": class_loss,
        "likelihood_loss": likelihood_loss,
        "reconstruction_loss": ops.mean(ops.square(x - outputs["reconstruction"])),
        "kl_zu": model.head.divergence(outputs),
    }


def _split_terms(model: ZsZuVAE, labels, outputs) -> dict:
    """What keeps the class in `zs` and out of `zu`."""
    _, code_loss = mixture_losses(outputs["zs"], labels, *model.mixture.frozen())
    confusion_loss, adversary_loss = adversary_losses(
        model.adversary, outputs["zu"], labels, model.class_probabilities
    )
    for _ in range(model.adversary_steps - 1):
        drawn = ops.stop_gradient(model.draw(outputs["zu_loc"], outputs["zu_log_variance"]))
        _, further = adversary_losses(model.adversary, drawn, labels, model.class_probabilities)
        adversary_loss += further
    mmd_loss = (
        class_conditional_mmd(outputs["zu"], labels, model.num_classes)
        if model.mmd_weight
        else ops.zeros(())
    )
    return {
        "code_loss": code_loss,
        "confusion_loss": confusion_loss,
        "adversary_loss": adversary_loss / model.adversary_steps,
        "mmd_loss": mmd_loss,
        "tc_loss": _tc_loss(model, labels, outputs) if model.tc_weight else ops.zeros(()),
    }


def _tc_loss(model: ZsZuVAE, labels, outputs):
    """Total correlation of the class that `zs` tells and of `zu` with unit noise added to it.

    The posteriors of `zu` may lie so far apart that each code points at its own image. The total
    correlation then is the entropy of the class, whatever is done about it, and has no gradient.
    With noise as wide as the prior, a dimension tells about `log(2) / 2` nats of the image at most,
    posteriors overlap, and the total correlation still is 0 exactly if class and `zu` are
    independent, for Gaussian noise can be deconvolved.
    """
    scores = component_log_density(ops.stop_gradient(outputs["zs"]), *model.mixture.frozen())
    log_variance = ops.softplus(outputs["zu_log_variance"])  # log(variance + 1)
    return class_total_correlation(
        model.draw(outputs["zu_loc"], log_variance),
        outputs["zu_loc"],
        log_variance,
        labels,
        ops.log_softmax(scores),
    )


def _variant_terms(model: ZsZuVAE, x, labels, outputs) -> dict:
    """What the decoder learns from images of a `zs`, kept or drawn, and a `zu` of its prior."""
    nothing = ops.zeros(())
    if not (model.consistency_weight or model.gan_weight):
        return {"consistency_loss": nothing}
    zs = ops.stop_gradient(outputs["zs"])
    kept_or_drawn = _partly_drawn(model, zs, labels) if model.mixture_share else zs
    zu = model.head.draw(outputs, model.noise)
    variants = model.decode({"zs": kept_or_drawn, "zu": zu})
    terms = {"consistency_loss": nothing}
    if model.consistency_weight:
        codes = call_frozen(model.zs_encoder, variants)
        terms["consistency_loss"], _ = mixture_losses(codes, labels, *model.mixture.frozen())
    if model.gan_weight:
        reconstruction = model.decode({"zs": zs, "zu": ops.stop_gradient(outputs["zu"])})
        fakes = [(reconstruction, labels), (variants, labels)]
        terms["discriminator_loss"], terms["generator_loss"] = hinge_losses(
            model.discriminator, (x, labels), fakes
        )
    return terms


def _partly_drawn(model: ZsZuVAE, zs, labels):
    """The codes of a batch, the first of them replaced by draws from the mixture of their class."""
    loc, precision = (ops.take(values, labels, axis=0) for values in model.mixture.frozen())
    drawn = loc + ops.rsqrt(precision) * keras.random.normal(ops.shape(zs), seed=model.noise)
    size = ops.shape(zs)[0]
    num_drawn = ops.cast(model.mixture_share * ops.cast(size, "float32"), "int32")
    return ops.where(ops.arange(size)[:, None] < num_drawn, drawn, zs)
