"""Compiles functions of columns for the active Keras backend.

Compiled code computes only what the function returns: layers whose outputs are dropped never run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from latentloom.model_zoo.backend.rounding import fix_rounding

Columns = Mapping[str, Any]
Signature = Mapping[str, tuple[tuple[int | None, ...], str]]
"""Shape and type of every column; None for any number of rows, if `takes_any_rows`."""


def takes_any_rows() -> bool:
    """Whether code that was compiled once runs on any number of rows; JAX fixes the number."""
    return keras.backend.backend() == "tensorflow"


def compiled(
    function: Callable[[Columns], Columns], networks: Sequence[keras.Model], signature: Signature
) -> Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]:
    """Compiles a function of columns that calls networks.

    Args:
        function: From columns of tensors to columns of tensors, in `keras.ops`.
        networks: The networks that it calls.
        signature: Shapes and types of its columns.

    Returns:
        The compiled function, from NumPy arrays to NumPy arrays.
    """
    wrap = _by_jax if keras.backend.backend() == "jax" else _by_tensorflow
    run = wrap(function, networks, signature)
    return lambda columns: {name: np.asarray(value) for name, value in run(columns).items()}


def _by_tensorflow(function, networks, signature):
    import tensorflow as tf

    fix_rounding()
    specs = {name: tf.TensorSpec(shape, dtype) for name, (shape, dtype) in signature.items()}
    return tf.function(function, input_signature=[specs], autograph=False)


def _by_jax(function, networks, signature):
    import jax

    variables = [variable for network in networks for variable in network.variables]

    names: list[str] = []  # in the function's order, since JAX sorts the keys

    @jax.jit
    def run(values, columns):
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            result = function(columns)
        names[:] = result
        return result

    def ordered(columns):
        result = run([variable.value for variable in variables], columns)
        return {name: result[name] for name in names}

    return ordered
