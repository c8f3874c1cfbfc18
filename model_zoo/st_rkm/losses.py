"""The terms of the loss of the Stiefel-Restricted Kernel Machine, before their weights.

Squared errors are summed over pixels of an image in `[0, 1]`, or over features, and averaged over
the batch. With `h` the code, `U` the basis of the subspace and noise `e ~ N(0, I)` of scale `s`:

    deterministic   ||x - psi(U h)||^2
    noisy           ||x - psi(U (h + s e))||^2
    split           ||x - psi(U h)||^2 + ||psi(U h) - psi(U (h + s e))||^2

Pandey et al., Neural Computation 34(10), 2022, section 3. The second term of the split form is
averaged over some of the batch only, `noisy_every`: the same on average. It penalises how steep the
decoder is along the subspace, and nothing else to second order in `s`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
from keras import ops

if TYPE_CHECKING:
    from latentloom.model_zoo.st_rkm.st_rkm import StRKM


def loss_terms(model: StRKM, x, outputs) -> dict:
    """Every term as a scalar.

    Args:
        model: The model.
        x: Observations, `(batch, *image_shape)`.
        outputs: What calling the model on the observations gave.
    """
    terms = {
        "reconstruction_loss": squared_error(model, x, outputs["reconstruction"]),
        "pca_loss": model.subspace.error(outputs["centred"], outputs["h"]),
    }
    if model.form == "split":
        clean = outputs["reconstruction"][:: model.noisy_every]
        terms["smoothness_loss"] = squared_error(model, clean, outputs["noisy"])
    return terms


def squared_error(model: StRKM, images, others):
    """Mean squared distance of pairs of images, as of pixels in `[0, 1]`."""
    low, high = model.value_range
    squares = ops.square((images - others) / (high - low))
    return ops.mean(ops.sum(ops.reshape(squares, (ops.shape(squares)[0], -1)), axis=-1))


def add_noise(model: StRKM, codes):
    """Codes with noise, whose scale may be relative to that of the codes.

    Nothing bounds the scale of the codes. With noise of a fixed scale the penalty of the split loss
    can be escaped by larger codes; with noise relative to them, and a gradient through their scale,
    it is least where axes are those of the data, whatever the scale. An extension of ours.
    """
    noise = keras.random.normal(ops.shape(codes), seed=model.noise_source)
    scale = model.noise
    if model.relative_noise:
        scale = scale * ops.sqrt(ops.mean(ops.square(codes)) + 1e-12)
    return codes + scale * noise
