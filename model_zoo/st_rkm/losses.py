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

import keras
from keras import ops

from latentloom.model_zoo.networks.subspace import Subspace
from latentloom.model_zoo.st_rkm.settings import VALUE_RANGE, StRKMSettings


def loss_terms(settings: StRKMSettings, subspace: Subspace, x, outputs) -> dict:
    """Every term as a scalar.

    Args:
        settings: Those of the model.
        subspace: The layer that the codes are coordinates of.
        x: Observations, `(batch, *image_shape)`.
        outputs: What calling the model on the observations gave.
    """
    terms = {
        "reconstruction_loss": squared_error(x, outputs["reconstruction"]),
        "pca_loss": subspace.error(outputs["centred"], outputs["h"]),
    }
    if settings.loss == "split":
        clean = outputs["reconstruction"][:: settings.noisy_every]
        terms["smoothness_loss"] = squared_error(clean, outputs["noisy"])
    return terms


def squared_error(images, others):
    """Mean squared distance of pairs of images, as of pixels in `[0, 1]`."""
    low, high = VALUE_RANGE
    squares = ops.square((images - others) / (high - low))
    return ops.mean(ops.sum(ops.reshape(squares, (ops.shape(squares)[0], -1)), axis=-1))


def add_noise(settings: StRKMSettings, source: keras.random.SeedGenerator, codes):
    """Codes with noise, whose scale may be relative to that of the codes.

    Nothing bounds the scale of the codes. With noise of a fixed scale the penalty of the split loss
    can be escaped by larger codes; with noise relative to them, and a gradient through their scale,
    it is least where axes are those of the data, whatever the scale. An extension of ours.
    """
    noise = keras.random.normal(ops.shape(codes), seed=source)
    scale = settings.noise
    if settings.relative_noise:
        scale = scale * ops.sqrt(ops.mean(ops.square(codes)) + 1e-12)
    return codes + scale * noise
