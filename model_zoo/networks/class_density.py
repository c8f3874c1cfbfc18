"""The density of the codes of every class, fitted after training.

Codes of a Gaussian block get a Gaussian mixture of every class, those of a categorical block
the weight of every value in every class.
"""

from __future__ import annotations

import warnings

import keras
import numpy as np
from keras import ops
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from latentloom.model_zoo.backend.probability import tfd

SMALLEST_SCALE = 1e-4
"""Least standard deviation of a component, in units of the largest of the codes."""

SMALLEST_WEIGHT = 1e-6
"""Least weight that a value is scored with in a class that never had it."""

Density = dict[str, np.ndarray]
"""`weights` `(C, K)`, `loc` and `scale` `(C, K, dim)`, float32."""


@keras.saving.register_keras_serializable(package="latentloom")
class ClassDensity(keras.layers.Layer):
    """Holds the mixture of every class, so that it is saved with the model; standard normal first.

    Args:
        num_classes: Integer, `C`.
        num_components: Integer, `K`.
        dim: Integer, size of a code.
    """

    def __init__(self, num_classes: int, num_components: int, dim: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes, self.num_components, self.dim = num_classes, num_components, dim
        shape = (num_classes, num_components)
        held = {"trainable": False, "autocast": False}
        uniform = keras.initializers.Constant(1.0 / num_components)
        self.weight = self.add_weight(shape=shape, initializer=uniform, name="weight", **held)
        self.loc = self.add_weight(shape=(*shape, dim), initializer="zeros", name="loc", **held)
        self.scale = self.add_weight(shape=(*shape, dim), initializer="ones", name="scale", **held)
        self.built = True

    def hold(self, density: Density) -> None:
        """Takes what `fit_density` gave."""
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
        """Mixture of each class, as TFP."""
        loc, scale = ops.convert_to_tensor(self.loc), ops.convert_to_tensor(self.scale)
        components = tfd.MultivariateNormalDiag(loc=loc, scale_diag=scale)
        weight = ops.convert_to_tensor(self.weight)
        return tfd.MixtureSameFamily(tfd.Categorical(probs=weight), components)

    def all_classes(self):
        """Mixture of all classes, each as likely, as TFP."""
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
    """Holds how frequent each value of a categorical block is in every class; all alike at first.

    Args:
        num_classes: Integer, `C`.
        num_values: Integer, `K`: size of a code, one of whose entries is 1 or that sum to 1.
    """

    def __init__(self, num_classes: int, num_values: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes, self.num_values = num_classes, num_values
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
        """Mean log weight, in every class, of the values of codes `(batch, K)`, `(batch, C)`."""
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

    One Gaussian of all classes is `num_classes` = 1 with labels of 0 throughout, and one component.

    Args:
        codes: `(n, dim)`, decorrelated over all classes.
        labels: `(n,)` integers, every class at least once.
        num_classes: Integer, `C`.
        num_components: Integer, `K`; a class of fewer examples has as many components.
        seed: Integer, seed of the first centres.

    Returns:
        The density. Components that a class lacks have weight 0.
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
    """A mixture of diagonal Gaussians; where it has not converged it is used all the same."""
    mixture = GaussianMixture(
        n_components=components, covariance_type="diag", reg_covar=floor**2, random_state=seed
    )
    if len(codes) == 1:  # scikit-learn wants two
        codes = np.repeat(codes, 2, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(codes)
