"""The density of the codes of every class, fitted after training.

A Gaussian block gets one Gaussian mixture for each class. A categorical block gets the weight of
every value in every class.
"""

from __future__ import annotations

import warnings

import keras
import numpy as np
from keras import ops
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.networks.sizes import check_weights

SMALLEST_SCALE = 1e-4
"""Least standard deviation of a component, relative to the largest deviation of the codes."""

SMALLEST_WEIGHT = 1e-6
"""Weight in scoring of a value that never occurred in a class."""

Density = dict[str, np.ndarray]
"""`weights` `(C, K)`, `loc` and `scale` `(C, K, dim)`, float32."""


@keras.saving.register_keras_serializable(package="latentloom")
class ClassDensity(keras.layers.Layer):
    """Holds the mixture of every class, so that it is saved with the model.

    Until `fit` or `hold`, every component is standard normal.

    Args:
        num_classes: Integer, `C`.
        num_components: Integer, `K`.
        dim: Integer, size of a code.
    """

    def __init__(self, num_classes: int, num_components: int, dim: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes, self.num_components, self.dim = num_classes, num_components, dim
        shape = (num_classes, num_components)
        check_weights(self.name, (*shape, dim))
        held = {"trainable": False, "autocast": False}
        uniform = keras.initializers.Constant(1.0 / num_components)
        self.weight = self.add_weight(shape=shape, initializer=uniform, name="weight", **held)
        self.loc = self.add_weight(shape=(*shape, dim), initializer="zeros", name="loc", **held)
        self.scale = self.add_weight(shape=(*shape, dim), initializer="ones", name="scale", **held)
        self.built = True

    def hold(self, density: Density) -> None:
        """Stores the density that `fit_density` returned."""
        self.weight.assign(density["weights"])
        self.loc.assign(density["loc"])
        self.scale.assign(density["scale"])

    def fit(self, codes: np.ndarray, labels: np.ndarray, seed: int = 0) -> Density:
        """Fits the mixtures to codes `(n, dim)` of classes `(n,)`, holds them and returns them."""
        found = fit_density(codes, labels, self.num_classes, self.num_components, seed)
        self.hold(found)
        return found

    def log_prob(self, codes):
        """Log density of codes `(batch, dim)` in every class, `(batch, num_classes)`."""
        return self.classes().log_prob(ops.expand_dims(codes, 1))

    def classes(self):
        """Mixture of each class, as a TFP distribution."""
        loc, scale = ops.convert_to_tensor(self.loc), ops.convert_to_tensor(self.scale)
        components = tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale)
        weight = ops.convert_to_tensor(self.weight)
        return tfd.MixtureSameFamily(tfd.Categorical(probs=weight), components)

    def all_classes(self):
        """Mixture of all classes, equally weighted, as a TFP distribution."""
        flat = [ops.reshape(each, (-1, self.dim)) for each in (self.loc, self.scale)]
        weight = ops.reshape(self.weight, (-1,)) / self.num_classes
        components = tfd.MultivariateNormalDiag(loc=flat[0], scale_diag=flat[1])
        return tfd.MixtureSameFamily(tfd.Categorical(probs=weight), components)

    def get_config(self):
        return super().get_config() | {
            "num_classes": self.num_classes,
            "num_components": self.num_components,
            "dim": self.dim,
        }


@keras.saving.register_keras_serializable(package="latentloom")
class ClassWeights(keras.layers.Layer):
    """Holds the frequency of each value of a categorical block in every class; uniform at first.

    Args:
        num_classes: Integer, `C`.
        num_values: Integer, `K`: size of a code, which is one-hot or a row of probabilities.
    """

    def __init__(self, num_classes: int, num_values: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes, self.num_values = num_classes, num_values
        check_weights(self.name, (num_classes, num_values))
        self.weight = self.add_weight(
            shape=(num_classes, num_values),
            initializer=keras.initializers.Constant(1.0 / num_values),
            trainable=False,
            autocast=False,
            name="weight",
        )
        self.built = True

    def fit(self, codes: np.ndarray, labels: np.ndarray, seed: int = 0) -> Density:
        """Fits the weights to codes `(n, K)` of classes `(n,)`, holds them and returns them.

        The components are the corners of the simplex: their scale is 0.
        """
        codes = np.asarray(codes, np.float64)
        weights = np.stack([codes[labels == c].mean(axis=0) for c in range(self.num_classes)])
        weights /= weights.sum(axis=-1, keepdims=True)
        self.weight.assign(weights.astype(np.float32))
        corners = np.broadcast_to(np.eye(self.num_values), (*weights.shape, self.num_values))
        arrays = {"weights": weights, "loc": corners, "scale": np.zeros_like(corners)}
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    def log_prob(self, codes):
        """Mean log weight of codes `(batch, K)` in every class, `(batch, C)`."""
        log_weight = ops.log(ops.maximum(self.weight, SMALLEST_WEIGHT))
        return ops.matmul(codes, ops.transpose(log_weight))

    def get_config(self):
        return super().get_config() | {
            "num_classes": self.num_classes,
            "num_values": self.num_values,
        }


def fit_density(
    codes: np.ndarray, labels: np.ndarray, num_classes: int, num_components: int, seed: int = 0
) -> Density:
    """Fits a mixture of diagonal Gaussians to the codes of each class.

    For one Gaussian over all classes, pass labels of 0, `num_classes` = 1 and one component.

    Args:
        codes: `(n, dim)`, decorrelated over all classes.
        labels: `(n,)` integers, every class at least once.
        num_classes: Integer, `C`.
        num_components: Integer, `K`; a class with `n < K` examples gets `n` components.
        seed: Integer, seed of the initial centres.

    Returns:
        The density. Unused components have weight 0.
    """
    codes = np.asarray(codes, np.float64)
    floor = SMALLEST_SCALE * max(float(codes.std(axis=0).max()), 1e-6)
    shape = (num_classes, num_components)
    weights = np.zeros(shape)
    loc, scale = np.zeros((*shape, codes.shape[1])), np.full((*shape, codes.shape[1]), floor)
    for label in range(num_classes):
        some = codes[labels == label]
        mixture = _fit_mixture(some, min(num_components, len(some)), floor, seed)
        found = slice(mixture.n_components)
        weights[label, found] = mixture.weights_
        loc[label, found] = mixture.means_
        scale[label, found] = np.sqrt(np.asarray(mixture.covariances_))
    arrays = {"weights": weights, "loc": loc, "scale": scale}
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def _fit_mixture(codes: np.ndarray, components: int, floor: float, seed: int) -> GaussianMixture:
    """Fits a mixture of diagonal Gaussians; returns it even if it has not converged."""
    mixture = GaussianMixture(
        n_components=components, covariance_type="diag", reg_covar=floor**2, random_state=seed
    )
    if len(codes) == 1:  # scikit-learn needs two
        codes = np.repeat(codes, 2, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(codes)
