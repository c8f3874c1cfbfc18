"""What the encoder of `zu` ends in: how its output is a posterior, and what the prior is.

`gaussian` is the head of the paper. `stiefel` gives ordered, decorrelated axes: the encoder gives
features, `zu` is their coordinates in a subspace with an orthonormal basis, and the decoder gets
the features back. Both heads say the same things, so that the model does not ask which it has.
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
"""Learning rate of the basis of a Stiefel head over that of the networks."""

Outputs = dict
"""What calling a model gave: `zu_loc` and `zu_log_variance`, `(batch, dim)`, among others."""


def diagonal_normal(loc, log_variance):
    """Independent normals of some means and log variances, `(..., dim)`, as TFP."""
    return tfd.Independent(
        tfd.Normal(loc, ops.exp(0.5 * log_variance)), reinterpreted_batch_ndims=1
    )


class GaussianHead(keras.layers.Layer):
    """The encoder gives mean and log variance; the prior is standard normal.

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
        """What the decoder gets of `zu`."""
        return zu

    def divergence(self, outputs: Outputs):
        """Mean KL divergence of posterior from prior, a scalar in nats."""
        posterior = diagonal_normal(outputs["zu_loc"], outputs["zu_log_variance"])
        return ops.mean(tfd.kl_divergence(posterior, self.prior()))

    @property
    def penalty_weights(self) -> dict[str, float]:
        """Nothing: the head adds no term to the loss."""
        return {}

    def penalties(self, outputs: Outputs) -> dict:
        """Nothing: the head adds no term to the loss."""
        return {}

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Nothing: the head has no matrix with orthonormal columns."""
        return {}

    def settle(self, encoded: Iterable[Any]) -> None:
        """Nothing, and nothing is encoded: the axes have no order."""

    def draw(self, outputs: Outputs, seed: keras.random.SeedGenerator):
        """As many draws from the prior as there are examples."""
        return keras.random.normal(ops.shape(outputs["zu_loc"]), seed=seed)

    def prior(self):
        """The prior, as TFP."""
        zeros = ops.zeros((self.dim,))
        return diagonal_normal(zeros, zeros)

    def scale(self) -> np.ndarray:
        """Standard deviations of the prior, `(dim,)`."""
        return np.ones(self.dim, np.float32)


class StiefelHead(keras.layers.Layer):
    """The encoder gives features, of which `zu` are coordinates in a subspace, with unit noise.

    The prior is the Gaussian that fits the codes best, with as many degrees of freedom as there
    are axes, instead of a standard normal: the divergence of the posteriors from it is the rate
    `log det(I + C) / 2` for codes of covariance `C`, whatever the basis. So an axis has the
    variance that its images are worth, in units of the noise, and axes can be told by it.

    Reference:
        The subspace is that of Pandey et al., Neural Computation 34(10), 2022. Noise and rate are
        ours: what an evidence bound with the best Gaussian prior has in their place.

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
        """The features that the decoder gets of `zu`."""
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
        """Terms of the loss that the head adds: how far features are from the subspace."""
        return {"pca_loss": self.subspace.error(outputs["zu_centred"], outputs["zu_loc"])}

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Matrices with orthonormal columns, and their learning rate over that of the others."""
        return {"subspace": ([self.subspace.basis], SUBSPACE_RATE)}

    def settle(self, encoded: Iterable[Any]) -> None:
        """Sorts the axes by variance, given what the encoder makes of all training examples."""
        self.subspace.settle(encoded)

    def draw(self, outputs: Outputs, seed: keras.random.SeedGenerator):
        """As many draws from the Gaussian that fits the codes of the batch, noise included."""
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
