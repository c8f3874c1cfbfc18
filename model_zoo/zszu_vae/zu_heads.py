"""The heads of the encoder of `zu`, which define the posterior and the prior.

`gaussian` is the head of the paper. `stiefel` gives ordered, decorrelated axes: the encoder returns
features, `zu` holds their coordinates in a subspace with an orthonormal basis, and the decoder
reads the features of the subspace. Both heads have the same interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.networks.subspace import Subspace

SUBSPACE_RATE = 10.0
"""Learning rate of the basis of a Stiefel head relative to the networks."""

Outputs = dict
"""Outputs of a model: `zu_loc` and `zu_log_variance`, `(batch, dim)`, among others."""


def diagonal_normal(loc, log_variance):
    """TFP distribution of independent normals, from means and log variances `(..., dim)`."""
    return tfd.Independent(
        tfd.Normal(loc, ops.exp(0.5 * log_variance)), reinterpreted_batch_ndims=1
    )


class GaussianHead(keras.layers.Layer):
    """The encoder returns mean and log variance; the prior is standard normal.

    Args:
        dim: Integer, size of `zu`.
    """

    def __init__(self, dim: int, **kwargs):
        super().__init__(**kwargs)
        self.dim, self.encoder_dim, self.decoder_dim = dim, 2 * dim, dim

    def moments(self, encoded, training: bool = False) -> Outputs:
        """Mean and log variance of the posterior."""
        loc, log_variance = ops.split(encoded, 2, axis=-1)
        return {"zu_loc": loc, "zu_log_variance": log_variance}

    def lift(self, zu):
        """Returns `zu` unchanged, as the input of the decoder."""
        return zu

    def divergence(self, outputs: Outputs):
        """Mean KL divergence of the posterior from the prior, a scalar in nats."""
        posterior = diagonal_normal(outputs["zu_loc"], outputs["zu_log_variance"])
        return ops.mean(tfd.kl_divergence(posterior, self.prior()))

    @property
    def penalty_weights(self) -> dict[str, float]:
        """Empty: the head adds no term to the loss."""
        return {}

    def penalties(self, outputs: Outputs) -> dict:
        """Returns no terms."""
        return {}

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Empty: the head has no matrix with orthonormal columns."""
        return {}

    def settle(self, encoded: Iterable[Any]) -> None:
        """Does nothing, and does not iterate over `encoded`: the axes have no order."""

    def draw(self, outputs: Outputs, seed: keras.random.SeedGenerator):
        """Draws from the prior, one for each example."""
        return keras.random.normal(ops.shape(outputs["zu_loc"]), seed=seed)

    def prior(self):
        """The prior, as TFP."""
        zeros = ops.zeros((self.dim,))
        return diagonal_normal(zeros, zeros)

    def scale(self) -> np.ndarray:
        """Standard deviations of the prior, `(dim,)`."""
        return np.ones(self.dim, np.float32)


class StiefelHead(keras.layers.Layer):
    """The encoder returns features; `zu` holds their coordinates in a subspace, with unit noise.

    The prior is not standard normal but the Gaussian that best fits the codes. The divergence of
    the posteriors from it is the rate `log det(I + C) / 2` for codes of covariance `C`, in any
    basis. So the variance of an axis, in units of the noise, is free and tells the axes apart.

    Reference:
        Pandey et al., Neural Computation 34(10), 2022, for the subspace. Deviates: noise and rate
        are the terms of an evidence bound with the best Gaussian prior.

    Args:
        dim: Integer, size of `zu`.
        feature_dim: Integer, size of the features, at least `dim`.
        seed: Integer, seed of the first basis.
    """

    def __init__(self, dim: int, feature_dim: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.dim, self.encoder_dim, self.decoder_dim = dim, feature_dim, feature_dim
        self.subspace = Subspace(feature_dim, dim, seed, name="subspace")

    def moments(self, encoded, training: bool = False) -> Outputs:
        """Mean and log variance of the posterior, and the centred features."""
        centred = self.subspace.centre(encoded, training)
        loc = self.subspace.project(centred)
        return {"zu_loc": loc, "zu_log_variance": ops.zeros_like(loc), "zu_centred": centred}

    def lift(self, zu):
        """Maps `zu` to features, the input of the decoder."""
        return self.subspace.lift(zu)

    def divergence(self, outputs: Outputs):
        """Mean KL divergence of the posteriors from the Gaussian that fits them, in nats."""
        codes = outputs["zu_loc"]
        covariance = ops.matmul(ops.transpose(codes), codes) / ops.cast(
            ops.shape(codes)[0], codes.dtype
        )
        factor = ops.cholesky(covariance + ops.eye(self.dim))
        return ops.sum(ops.log(ops.diagonal(factor)))

    @property
    def penalty_weights(self) -> dict[str, float]:
        """Weight of every term of the loss that the head adds."""
        return {"pca_loss": 1.0 / self.dim}

    def penalties(self, outputs: Outputs) -> dict:
        """Terms of the loss that the head adds: the distance of features from the subspace."""
        return {"pca_loss": self.subspace.error(outputs["zu_centred"], outputs["zu_loc"])}

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Matrices with orthonormal columns, with their learning rate relative to the networks."""
        return {"subspace": ([self.subspace.basis], SUBSPACE_RATE)}

    def settle(self, encoded: Iterable[Any]) -> None:
        """Sorts the axes by variance, given the encoder's outputs for all training examples."""
        self.subspace.settle(encoded)

    def draw(self, outputs: Outputs, seed: keras.random.SeedGenerator):
        """Draws from the Gaussian that fits the codes of the batch, with noise, one an example."""
        codes = ops.stop_gradient(outputs["zu_loc"])
        size = ops.shape(codes)[0]
        mixing = keras.random.normal((size, size), seed=seed)
        drawn = ops.matmul(mixing, codes) / ops.sqrt(ops.cast(size, codes.dtype))
        return drawn + keras.random.normal(ops.shape(codes), seed=seed)

    def prior(self):
        """The prior as fitted after training, as TFP."""
        variance = ops.convert_to_tensor(self.subspace.variance)
        return diagonal_normal(ops.zeros((self.dim,)), ops.log(variance + 1.0))

    def scale(self) -> np.ndarray:
        """Standard deviations of the prior, `(dim,)`."""
        return np.sqrt(np.asarray(self.subspace.variance) + 1.0).astype(np.float32)
