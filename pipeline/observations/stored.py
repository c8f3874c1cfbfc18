"""Converts observations that a program hands over to their stored form, without any loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def as_stored(observations: Any, dtype: str, shape: Sequence[int]) -> np.ndarray:
    """Checks a batch of observations, and converts it to the type in which they are stored.

    Args:
        observations: An array, or what NumPy makes one of.
        dtype: Type of stored observations: `uint8`, `float32` or `int32`.
        shape: Event shape.

    Returns:
        The observations, `(n, *shape)` of `dtype`; not copied if they are so already.

    Raises:
        TypeError: They are of another kind of number.
        ValueError: They have another shape, or values that the type does not hold.
    """
    given, stored = np.asarray(observations), np.dtype(dtype)
    if not np.can_cast(given.dtype, stored, "same_kind"):
        fix = "Convert values of 0 to 255 with `astype`" if dtype == "uint8" else "Convert them"
        raise TypeError(
            f"Observations are of a wrong type. Expected: {dtype}, as they are stored. Received: "
            f"dtype={given.dtype}. {fix}."
        )
    if given.ndim != len(shape) + 1 or given.shape[1:] != tuple(shape):
        wanted = ", ".join(map(str, ("n", *shape)))
        raise ValueError(
            f"Observations have a wrong shape. Expected: ({wanted}). Received: "
            f"shape={given.shape}. Put observations of the bundle's shape into one batch."
        )
    return _in_range(given, stored)


def _in_range(given: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Returns values in another type, all of which must be in its range; counts are at least 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        stored = given.astype(dtype, copy=False)
    if dtype.kind == "f":
        is_valid, rule = np.isfinite(stored), "finite"
    else:
        is_valid = (stored == given) & (stored >= 0)
        rule = f"0 to {np.iinfo(dtype).max}"
    if not is_valid.all():
        raise ValueError(
            f"Observations have values out of range. Expected: {rule}. Received: "
            f"{given[~is_valid][0]}. Correct them, or leave out these observations."
        )
    return stored
