"""Checks on columnar data: one array per column, one row per example or variant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["as_integers", "check_lengths"]


def as_integers(owner: str, name: str, values: np.ndarray) -> np.ndarray:
    """Returns a column of integers as int64.

    Args:
        owner: What the column belongs to, for the message.
        name: Name of the column.
        values: Integers of shape `(n,)`; an empty column may have any type.

    Returns:
        The values as int64, of shape `(n,)`.

    Raises:
        TypeError: If the values are not integers.
        ValueError: If they do not have one axis.
    """
    column = np.asarray(values)
    if column.ndim != 1:
        raise ValueError(
            f"{owner} has a column '{name}' with the wrong number of axes. Expected: shape `(n,)`. "
            f"Received: {name}.shape={column.shape}. Pass one value per row."
        )
    if column.size and column.dtype.kind not in "iu":
        raise TypeError(
            f"{owner} has a column '{name}' that does not hold integers. Expected: an integer "
            f"dtype. Received: {name}.dtype={column.dtype}. Convert the values to indices first."
        )
    return column.astype(np.int64)


def check_lengths(owner: str, num_rows: int, columns: Mapping[str, np.ndarray]) -> None:
    """Checks that every column has the same number of rows.

    Args:
        owner: What the columns belong to, for the message.
        num_rows: The length that each column must have.
        columns: Arrays by name; the first axis is the row.

    Raises:
        ValueError: If one of them is longer or shorter.
    """
    for name, column in columns.items():
        if len(column) != num_rows:
            raise ValueError(
                f"{owner} has columns of different lengths. Expected: {num_rows} rows in each. "
                f"Received: len({name})={len(column)}. Pass one value per row in every column."
            )
