"""TensorFlow Probability for the active Keras backend.

Model code writes `from model_zoo.probability import tfd` and never imports TFP by itself, so
that the choice of the backend is made in this one place.
"""

from __future__ import annotations

from types import ModuleType

import keras


def _substrate() -> ModuleType:
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"latentloom has no distributions for the Keras backend '{backend}'. "
            f"Expected: tensorflow. Received: KERAS_BACKEND={backend}. "
            "Set the variable KERAS_BACKEND=tensorflow before the first import of keras."
        )
    import tensorflow_probability as tfp

    return tfp


tfp = _substrate()
tfd = tfp.distributions

__all__ = ["tfd", "tfp"]
