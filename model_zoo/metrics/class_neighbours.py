"""Distance of examples to the nearest real example of their class."""

from __future__ import annotations

import numpy as np

BLOCK_BYTES = 8 << 20
"""Most bytes of the distances, and of the rows, that are held at once."""
LEAST = 0.01
"""Distance that is added, in units of the spread: below it there is only rounding."""


def log_distances(
    rows: np.ndarray, labels: np.ndarray, references: np.ndarray, reference_labels: np.ndarray
) -> np.ndarray:
    """Logarithm of the Euclidean distance to the nearest reference of a row's class.

    Distances are in units of the root mean square distance of the references to their mean.
    Computed in float64: the result for a row is the same to about 1e-12 whatever stands beside it.

    Args:
        rows: `(n, features)` floats.
        labels: Classes of the rows, `(n,)`.
        references: `(m, features)` floats.
        reference_labels: Classes of the references, `(m,)`.

    Returns:
        float64 of shape `(n,)`; infinity for a class without a reference.
    """
    nearest = np.full(len(rows), np.inf)
    for label in np.unique(labels):
        own = references[reference_labels == label].astype(np.float64)
        of_class = np.flatnonzero(labels == label)
        if not len(own):
            continue
        size = max(1, BLOCK_BYTES // (8 * max(own.shape)))
        for start in range(0, len(of_class), size):
            some = of_class[start : start + size]
            nearest[some] = _nearest(rows[some].astype(np.float64), own)
    spread = np.sqrt(references.var(axis=0, dtype=np.float64).sum()) or 1.0
    return np.log(np.sqrt(nearest) / spread + LEAST)


def _nearest(rows: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Squared distance to the nearest reference."""
    products = rows @ references.T
    squares = np.square(references).sum(axis=1) - 2 * products
    return np.maximum(squares.min(axis=1) + np.square(rows).sum(axis=1), 0)
