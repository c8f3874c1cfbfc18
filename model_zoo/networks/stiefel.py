"""Matrices with orthonormal columns, the points of the Stiefel manifold `{U: U^T U = I}`.

Draws such matrices, measures how far a matrix is from the manifold, and brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from latentloom.model_zoo.backend.rounding import exact_products

LARGEST_DEFECT = 1e-4
"""Frobenius norm of `U^T U - I` up to which a float32 matrix counts as orthonormal."""


@keras.saving.register_keras_serializable(package="latentloom")
class OrthonormalColumns(keras.initializers.Orthogonal):
    """Draws matrices with orthonormal columns, uniformly on the Stiefel manifold.

    `keras.initializers.Orthogonal` without its gain. It rejects a wide matrix, where Keras would
    make the rows orthonormal.

    Args:
        seed: Integer or `keras.random.SeedGenerator`; `None` for a random one.

    Raises:
        ValueError: On drawing, the shape is not `(l, m)` with `m <= l`.

    Example:
        >>> tuple(OrthonormalColumns(seed=0)((50, 10)).shape)
        (50, 10)
    """

    def __init__(self, seed: int | keras.random.SeedGenerator | None = None):
        super().__init__(gain=1.0, seed=seed)

    def __call__(self, shape, dtype=None):
        check_stiefel_shape(shape, "OrthonormalColumns")
        return super().__call__(shape, dtype)

    def get_config(self):
        config = super().get_config()
        del config["gain"]
        return config


@keras.saving.register_keras_serializable(package="latentloom")
class Stiefel(keras.constraints.Constraint):
    """Brings a weight back to orthonormal columns after each step of an ordinary optimizer.

    `model_zoo.optimizers.CayleyAdam` needs no constraint, since its steps stay on the manifold.

    Raises:
        ValueError: On use, the weight is not a matrix `(l, m)` with `m <= l`.
    """

    def __call__(self, w):
        check_stiefel_shape(w.shape, "w")
        return orthonormalize(w)


def orthonormalize(matrix: Any):
    """Orthonormalises the columns of a matrix: the `Q` of its QR decomposition.

    The diagonal of `R` is made positive, so that an orthonormal matrix does not change and a matrix
    near the manifold moves by about its defect at most.

    Args:
        matrix: `(l, m)`, `m <= l`, floats. Linearly dependent columns are replaced by arbitrary
            orthonormal ones.

    Returns:
        A tensor of the same shape and dtype.
    """
    matrix = ops.convert_to_tensor(matrix)
    with exact_products() as dtype:
        columns, triangle = ops.qr(ops.cast(matrix, dtype))
        signs = ops.where(ops.diagonal(triangle) < 0, -1.0, 1.0)
        return ops.cast(columns * ops.cast(signs, dtype), matrix.dtype)


def stiefel_defect(matrix: Any):
    """Distance of a matrix from the Stiefel manifold: `||U^T U - I||_F`.

    Args:
        matrix: `(l, m)`, floats.

    Returns:
        A scalar tensor, 0 on the Stiefel manifold; float32 rounding leaves about `1e-6`.
    """
    with exact_products() as dtype:
        columns = ops.cast(ops.convert_to_tensor(matrix), dtype)
        products = ops.matmul(ops.transpose(columns), columns)
        return ops.norm(products - ops.eye(columns.shape[1], dtype=dtype))


def check_stiefel_shape(shape: Sequence[int], name: str) -> None:
    """Rejects shapes in which columns cannot be orthonormal.

    Args:
        shape: Shape to check.
        name: Name of the matrix, for the message.

    Raises:
        ValueError: The shape is not `(l, m)` with `m <= l`.
    """
    if len(shape) != 2 or shape[1] > shape[0]:
        raise ValueError(
            f"The columns of '{name}' cannot be orthonormal. Expected: a matrix of shape (l, m) "
            f"with m <= l. Received: shape={tuple(shape)}. Lower the number of columns, or "
            "transpose the matrix."
        )


def check_on_manifold(matrix: Any, name: str) -> None:
    """Rejects a matrix off the Stiefel manifold, for example from a damaged checkpoint.

    Args:
        matrix: Array, eager tensor or variable, `(l, m)`.
        name: Name of the matrix, for the message.

    Raises:
        ValueError: The shape is wrong, or the defect is above `LARGEST_DEFECT` or not a number.
    """
    check_stiefel_shape(matrix.shape, name)
    defect = float(ops.convert_to_numpy(stiefel_defect(matrix)))
    if not defect <= LARGEST_DEFECT:
        raise ValueError(
            f"'{name}' has left the Stiefel manifold. Expected: ||U^T U - I||_F of at most "
            f"{LARGEST_DEFECT:g}. Received: {defect:.3g}. Load another checkpoint, or pass the "
            "matrix through `orthonormalize` if it was merely rounded."
        )
