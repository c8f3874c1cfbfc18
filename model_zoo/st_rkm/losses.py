"""The terms of the loss of the Stiefel-Restricted Kernel Machine, before their weights.

Squared errors are summed over pixels of an image in `[0, 1]`, or over features, and averaged over
the batch. With `h` the code, `U` the basis of the subspace and noise `e ~ N(0, I)` of scale `s`:

    deterministic   ||x - psi(U h)||^2
    noisy           ||x - psi(U (h + s e))||^2
    split           ||x - psi(U h)||^2 + ||psi(U h) - psi(U (h + s e))||^2

Pandey et al., Neural Computation 34(10), 2022, section 3. The second term of the split form is
averaged over a part of the batch only (`noisy_every`), with the same expectation. To second order
in `s` it penalises only the slope of the decoder along the subspace.
"""

from __future__ import annotations

import keras
from keras import ops

from latentloom.model_zoo.networks.subspace import Subspace
from latentloom.model_zoo.st_rkm.settings import VALUE_RANGE, StRKMSettings


def loss_terms(settings: StRKMSettings, subspace: Subspace, x, outputs) -> dict:
    """Returns every term as a scalar.

    Args:
        settings: Settings of the model.
        subspace: The layer that maps features to codes.
        x: Observations, `(batch, *observation_shape)`.
        outputs: Outputs of the model for the observations.
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
    """Mean squared distance of pairs of images, with pixels rescaled to `[0, 1]`."""
    low, high = VALUE_RANGE
    squares = ops.square((images - others) / (high - low))
    return ops.mean(ops.sum(ops.reshape(squares, (ops.shape(squares)[0], -1)), axis=-1))


def add_noise(settings: StRKMSettings, source: keras.random.SeedGenerator, codes):
    """Adds noise to codes; with `relative_noise` its scale is relative to the scale of the codes.

    Nothing bounds the scale of the codes. With noise of a fixed scale, larger codes escape the
    penalty of the split loss. With relative noise, and a gradient through the scale, the penalty is
    least where the axes match the axes of the data, at any scale. Not in the paper.
    """
    noise = keras.random.normal(ops.shape(codes), seed=source)
    scale = settings.noise
    if settings.relative_noise:
        scale = scale * ops.sqrt(ops.mean(ops.square(codes)) + 1e-12)
    return codes + scale * noise
