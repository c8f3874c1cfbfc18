"""The same rounding wherever a model is traced."""

from __future__ import annotations

import keras


def fix_rounding() -> None:
    """Makes TensorFlow run graphs as they are written, from now on in this process.

    Its graph optimizers regroup sums and fold factors by the names of nodes. These count on with
    every model of a process, so that the same training rounds otherwise where another one ran
    before, and a killed run would not end as an unbroken one. A training step without them was
    measured as fast as with them.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
