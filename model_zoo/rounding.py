"""The same rounding wherever a model is traced."""

from __future__ import annotations

import keras


def fix_rounding() -> None:
    """Makes TensorFlow add up in the order that is written, from now on in this process.

    Its arithmetic optimizer regroups sums by the names of their nodes. These count on with every
    model of a process, so that the same training rounds otherwise where another one ran before:
    a killed run would not end as an unbroken one. Costs no time that could be measured.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
