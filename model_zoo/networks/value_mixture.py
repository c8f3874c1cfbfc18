"""Gaussian mixtures fitted to codes, one component for each value of a factor."""

from __future__ import annotations

import numpy as np

SMALLEST_SHARE = 1e-3
"""Least scale of a component, relative to the scale of all codes."""


def mixture_of_values(codes: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """Fits one Gaussian to the codes of each value that occurs, in the order of the values.

    Args:
        codes: `(n, dim)`.
        values: `(n,)` integers.

    Returns:
        `{"weights": (1, K), "loc": (1, K, dim), "scale": (1, K, dim), "values": (K,)}`, float32.
    """
    codes = np.asarray(codes, np.float64)
    known, rows, counts = np.unique(values, return_inverse=True, return_counts=True)
    members = rows == np.arange(len(counts))[:, None]
    loc = members @ codes / counts[:, None]
    variance = members @ np.square(codes - loc[rows]) / counts[:, None]
    floor = SMALLEST_SHARE * codes.std(axis=0) + np.finfo(np.float32).tiny
    arrays = {
        "weights": counts / counts.sum(),
        "loc": loc,
        "scale": np.maximum(np.sqrt(variance), floor),
    }
    prior = {name: array[None].astype(np.float32) for name, array in arrays.items()}
    return prior | {"values": known.astype(np.float32)}
