"""How figures are rounded: alike wherever a model is traced, and in full where that matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def exact_products() -> Iterator[str]:
    """Keeps products of matrices inside from being shortened to TF32 or bfloat16 on a device.

    JAX is asked for its highest precision. TensorFlow takes no such wish for one product, only a
    setting of the whole process; it shortens float32 alone, though, so float64 is used there.

    Yields:
        The dtype in which to compute: cast the factors to it.
    """
    if keras.backend.backend() == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield "float32"
    else:
        yield "float64"
