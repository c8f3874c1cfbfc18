"""The density of the codes, fitted after training: a Gaussian mixture of every class."""

from __future__ import annotations

import warnings

import keras
import numpy as np
from keras import ops
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from model_zoo.probability import tfd

SMALLEST_SCALE = 1e-4
"""Least standard deviation of a component, in units of the largest of the codes."""

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
