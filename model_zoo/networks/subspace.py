"""A linear layer whose matrix has orthonormal columns: coordinates in a subspace of features."""

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
"""Share of the running mean that a step of training keeps."""


@keras.saving.register_keras_serializable(package="latentloom")
class Subspace(keras.layers.Layer):
    """Coordinates of features in a subspace, and features of coordinates.

    The subspace is spanned by the columns of `basis`, a point of the Stiefel manifold, which
    `model_zoo.optimizers.CayleyAdam` turns. In training features are centred on their batch, later
    on `loc`; no mean is added back. What a network learns through it depends on the subspace
    alone, not on the choice of its basis, so that columns have no meaning until `settle` has
    turned them to the principal axes. `variance` is 0 until then.

    Reference:
        Pandey, Fanuel, Schreurs and Suykens, Disentangled Representation Learning and Generation
        With Manifold Optimization, Neural Computation 34(10), 2022. Deviates: after training the
        basis is turned within the subspace, where the released code replaces it by the leading
        axes of all features, to which the decoder has not been trained; the mean of the features
        is tracked in training too.

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
        """Features less their mean: that of the batch in training, `loc` otherwise."""
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
        """Mean squared distance of centred features to the subspace: the error of kernel PCA.

        Equal to `tr(C) - tr(U^T C U)` on the manifold; unlike that, it is never negative off it.
        """
        return ops.mean(ops.sum(ops.square(centred - self.lift(coordinates)), axis=-1))

    def call(self, features, training=False):
        return self.project(self.centre(features, training))

    def settle(self, features: Iterable[Any]) -> None:
        """Fixes the mean, and turns the basis to the principal axes within the subspace.

        The features that `lift` gives stay what they were, but for the mean. Works in float64. The
        largest entry of every column is made positive. `variance` then holds that of the
        coordinates along each axis, descending.

        Args:
            features: Batches `(n, feature_dim)` of all training examples. With fewer than `dim`
                examples, or equal ones, the last axes have no variance.
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
