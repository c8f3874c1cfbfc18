"""A linear layer with orthonormal columns: coordinates in a subspace of features."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.networks.stiefel import (
    OrthonormalColumns,
    check_on_manifold,
    check_stiefel_shape,
)

MOMENTUM = 0.99
"""Share of the running mean that a training step keeps."""


@keras.saving.register_keras_serializable(package="latentloom")
class Subspace(keras.layers.Layer):
    """Maps features to coordinates in a subspace, and coordinates to features.

    The columns of `basis`, a point of the Stiefel manifold, span the subspace;
    `model_zoo.optimizers.CayleyAdam` trains it. Features are centred on the batch mean in training
    and on `loc` afterwards; `lift` adds no mean back. The loss depends on the subspace, not on its
    basis, so single columns have no meaning until `settle` turns them to the principal axes.
    `variance` is 0 until then.

    Reference:
        Pandey, Fanuel, Schreurs and Suykens, Disentangled Representation Learning and Generation
        With Manifold Optimization, Neural Computation 34(10), 2022. Deviates: after training,
        `settle` turns the basis within the subspace; the released code replaces it by the leading
        axes of all features, for which the decoder was not trained. The mean of the features is
        tracked in training, too.

    Args:
        feature_dim: Integer, size of the features, `l`.
        dim: Integer, size of the subspace, `m`, at most `l`.
        seed: Integer, seed of the first basis.

    Raises:
        ValueError: `dim` is larger than `feature_dim`. On loading: the basis has left the manifold.

    Input shape:
        Features, `(batch, feature_dim)`.

    Output shape:
        Coordinates, `(batch, dim)`.
    """

    def __init__(self, feature_dim: int, dim: int, seed: int = 0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_stiefel_shape((feature_dim, dim), self.name)
        self.feature_dim, self.dim, self.seed = feature_dim, dim, seed
        self.basis = self.add_weight(
            shape=(feature_dim, dim),
            initializer=OrthonormalColumns(seed),
            autocast=False,
            name="basis",
        )
        self.loc = self.add_weight(
            shape=(feature_dim,), initializer="zeros", trainable=False, autocast=False, name="loc"
        )
        self.variance = self.add_weight(
            shape=(dim,), initializer="zeros", trainable=False, autocast=False, name="variance"
        )
        self.built = True

    def centre(self, features, training: bool = False):
        """Subtracts the mean of the features: the batch mean in training, else `loc`."""
        features = ops.cast(features, "float32")
        if not training:
            return features - self.loc
        loc = ops.mean(features, axis=0)
        self.loc.assign(MOMENTUM * self.loc + (1.0 - MOMENTUM) * ops.stop_gradient(loc))
        return features - loc

    def project(self, centred):
        """Coordinates of centred features, `(batch, dim)`."""
        return ops.matmul(centred, self.basis)

    def lift(self, coordinates):
        """The centred features with these coordinates, `(batch, feature_dim)`."""
        return ops.matmul(coordinates, ops.transpose(self.basis))

    def error(self, centred, coordinates):
        """Mean squared distance of centred features from the subspace: the error of kernel PCA.

        On the manifold it equals `tr(C) - tr(U^T C U)`, which can be negative off the manifold;
        this form cannot.
        """
        return ops.mean(ops.sum(ops.square(centred - self.lift(coordinates)), axis=-1))

    def call(self, features, training=False):
        return self.project(self.centre(features, training))

    def settle(self, features: Iterable[Any]) -> None:
        """Fixes the mean and turns the basis to the principal axes within the subspace.

        Except for the mean, reconstructed features do not change. Computes in float64 and makes the
        largest entry of every column positive. Afterwards `variance` holds the variance of the
        coordinates along each axis, descending.

        Args:
            features: Batches `(n, feature_dim)` of all training examples. With fewer than `dim`
                distinct examples, the last axes have no variance.
        """
        rows = np.concatenate([np.asarray(batch, np.float64) for batch in features])
        loc, basis = rows.mean(axis=0), np.asarray(self.basis, np.float64)
        coordinates = (rows - loc) @ basis
        variance, turn = np.linalg.eigh(coordinates.T @ coordinates / len(coordinates))
        basis = basis @ turn[:, ::-1]
        largest = basis[np.abs(basis).argmax(axis=0), np.arange(self.dim)]
        self.basis.assign((basis * np.sign(largest)).astype(np.float32))
        self.loc.assign(loc.astype(np.float32))
        self.variance.assign(np.maximum(variance[::-1], 0.0).astype(np.float32))

    def load_own_variables(self, store):
        super().load_own_variables(store)
        check_on_manifold(self.basis, self.basis.path)

    def get_config(self):
        return super().get_config() | {
            "feature_dim": self.feature_dim,
            "dim": self.dim,
            "seed": self.seed,
        }
