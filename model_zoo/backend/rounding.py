"""Numerical rounding: reproducible graphs, and full precision where it matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras


def fix_rounding() -> None:
    """Disables TensorFlow's graph optimizers for the rest of this process.

    They regroup sums and fold factors depending on the names of nodes. Node names are numbered
    across all models of a process. So the same training would round differently after another one,
    and a resumed run would differ from an uninterrupted one. Training steps were as fast without
    the optimizers.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@contextmanager
def exact_products() -> Iterator[str]:
    """Prevents matrix products in this context from using TF32 or bfloat16 on a device.

    On JAX it sets the highest precision. TensorFlow has only a setting for the whole process, but
    it reduces only float32, so products use float64 there.

    Yields:
        The dtype in which to compute: cast the factors to it.
    """
    if keras.backend.backend() == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield "float32"
    else:
        yield "float64"
