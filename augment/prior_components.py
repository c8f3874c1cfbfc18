"""Draws components of a block prior: of a class, and of a value that they stand for."""

from __future__ import annotations

import numpy as np

from latentloom.augment.randomness import uniforms

__all__ = ["class_rows", "draw_components"]


def draw_components(
    weights: np.ndarray,
    rows: np.ndarray,
    keys: np.ndarray,
    stands_for: np.ndarray | None = None,
    values: np.ndarray | None = None,
) -> np.ndarray:
    """Draws a component per key among those of a row, or those that stand for a value.

    Args:
        weights: `(C, K)`, weights of the components in each row.
        rows: int64 of shape `(n,)`: the row of each key.
        keys: uint64 of shape `(n,)`.
        stands_for: `(K,)`: the value that each component stands for, or None.
        values: `(n,)`: the value that each component must stand for, or None for any.

    Returns:
        int64 of shape `(n,)`.

    Raises:
        ValueError: If no component stands for a value.
    """
    if values is not None:
        kinds, rows = np.unique(np.stack([rows, values]), axis=1, return_inverse=True)
        weights = weights[kinds[0]] * _stand_for(stands_for, kinds[1])
    edges = np.cumsum(weights, axis=-1, dtype=np.float64)
    edges /= edges[:, -1:]  # the last is exactly 1, so a component of weight 0 is never drawn
    return (uniforms(keys, 1) >= edges[rows, :-1]).sum(axis=-1)


def _stand_for(stands_for: np.ndarray | None, values: np.ndarray) -> np.ndarray:
    """Which components stand for each value, bool of shape `(n, K)`."""
    known = np.full(0, np.nan) if stands_for is None else stands_for
    found = known == values[:, None]
    if not found.any(axis=-1).all():
        lacking = values[~found.any(axis=-1)]
        raise ValueError(
            "The prior has no component of a value. Expected: one of "
            f"{np.unique(known).astype(int).tolist()}. Received: value {lacking[0]}. Draw "
            "another value, or train with examples of it."
        )
    return found


def class_rows(weights: np.ndarray, num_keys: int, labels: np.ndarray | None) -> np.ndarray:
    """Returns the row of `weights` of each key: that of its class, or the only one.

    Raises:
        ValueError: If there are several rows, and labels are missing or out of range.
    """
    if len(weights) == 1:
        return np.zeros(num_keys, np.int64)
    received = None if labels is None else np.shape(labels)
    if labels is None or received != (num_keys,):
        raise ValueError(
            f"The prior depends on the class. Expected: labels of shape `({num_keys},)`. "
            f"Received: labels of shape {received}. Pass one class index per key."
        )
    rows = np.asarray(labels, np.int64)
    if rows.size and not (0 <= rows.min() and rows.max() < len(weights)):
        raise ValueError(
            f"The prior has no such class. Expected: labels in `[0, {len(weights)})`. "
            f"Received: labels from {rows.min()} to {rows.max()}. Pass the classes it was "
            "trained on."
        )
    return rows
