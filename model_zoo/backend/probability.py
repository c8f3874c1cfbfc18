"""TensorFlow Probability for the active Keras backend.

Model code imports `tfd` from here and never imports TFP directly, so that only this module chooses
the backend. On JAX it uses TFP's JAX substrate, which needs no TensorFlow. Supported: TFP 0.25 with
JAX 0.7 to 0.10 (tested: 0.7.0, 0.8.3, 0.9.2, 0.10.2).
"""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

import keras

BACKENDS = ("tensorflow", "jax")


def _distributions_package(backend: str) -> ModuleType:
    if backend not in BACKENDS:
        raise ValueError(
            f"latentloom has no distributions for the Keras backend '{backend}'. "
            f"Expected: one of {', '.join(BACKENDS)}. Received: KERAS_BACKEND={backend}. "
            "Set the variable KERAS_BACKEND to one of these before the first import of keras."
        )
    return importlib.import_module("tensorflow_probability") if backend == "tensorflow" else _jax()


def _jax() -> ModuleType:
    """Imports TFP's JAX substrate, after restoring a name that JAX 0.7 made private."""
    import jax
    from jax.interpreters import xla

    try:
        if not hasattr(xla, "pytype_aval_mappings"):
            core = importlib.import_module("jax._src.core")
            setattr(xla, "pytype_aval_mappings", core.pytype_aval_mappings)  # noqa: B010
        with warnings.catch_warnings():  # deprecated names of JAX, and distutils
            warnings.simplefilter("ignore", DeprecationWarning)
            return importlib.import_module("tensorflow_probability.substrates.jax")
    except AttributeError as error:
        raise ImportError(
            f"TFP 0.25 does not work with this release of JAX: {error}. "
            f"Expected: JAX 0.7 to 0.10. Received: jax=={jax.__version__}. "
            "Install a supported release: pip install 'latentloom[jax]'."
        ) from error


def stateless_seed(numbers):
    """Converts two int32 numbers to the seed of a TFP draw, in the form of the active backend."""
    if keras.backend.backend() == "tensorflow":
        return numbers
    import jax

    return jax.random.fold_in(jax.random.key(numbers[0]), numbers[1])


tfp = _distributions_package(keras.backend.backend())
tfd = tfp.distributions


class OneHotCategorical(tfd.OneHotCategorical):
    """TFP's `OneHotCategorical`, without JAX's warning about int64 draws."""

    def _sample_n(self, n, seed=None):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Explicitly requested dtype int64", UserWarning)
            return super()._sample_n(n, seed)


__all__ = ["OneHotCategorical", "stateless_seed", "tfd", "tfp"]
