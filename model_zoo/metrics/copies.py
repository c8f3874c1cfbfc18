"""Whether generated observations are copies: how near their nearest training example is."""

from __future__ import annotations

import numpy as np

BLOCK = 4096
"""Training examples that distances are held of at once."""
USUAL_SHARE = 0.01
"""Share of held-out examples that are as near to a training example as what is called a copy."""


def nearest_distances(rows: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Euclidean distance of every row to the nearest training example, in float32.

    Args:
        rows: `(n, ...)` observations or features.
        train: `(m, ...)` of the same shape, `m >= 1`, of any type; cast in blocks.

    Returns:
        `(n,)` float32.

    Raises:
        ValueError: There is no training example, or the shapes differ.
    """
    if not len(train) or rows.shape[1:] != train.shape[1:]:
        raise ValueError(
            "There is nothing to find copies of. Expected: one training example or more, of the "
            f"shape of the rows. Received: shapes {rows.shape} and {train.shape}. Give both alike."
        )
    rows = rows.reshape(len(rows), -1).astype(np.float32)
    offset = rows.mean(axis=0)  # distances are differences of squares: keep these small
    rows = rows - offset
    squares = np.square(rows).sum(axis=1)
    nearest = np.full(len(rows), np.inf, np.float32)
    for start in range(0, len(train), BLOCK):
        block = train[start : start + BLOCK]
        block = block.reshape(len(block), -1).astype(np.float32) - offset
        found = squares[:, None] + np.square(block).sum(axis=1) - 2 * rows @ block.T
        nearest = np.minimum(nearest, found.min(axis=1))
    return np.sqrt(np.maximum(nearest, 0))


def copy_figures(
    generated: np.ndarray, held_out: np.ndarray, train: np.ndarray
) -> dict[str, float]:
    """How near generated observations are to training examples, beside what is held out.

    Held-out examples of the same source are no copies: as near as they come, so near may what is
    generated come by chance.

    Args:
        generated: `(n, ...)` observations or features.
        held_out: `(k, ...)` of real examples that are not among the training examples.
        train: `(m, ...)` of the training examples.

    Returns:
        `copies`: share of the generated that are nearer to a training example than all but
        `USUAL_SHARE` of those held out, which is 0.01 for observations from the same source;
        `distance`: median distance of the generated over that of those held out.
    """
    found, usual = nearest_distances(generated, train), nearest_distances(held_out, train)
    least = np.quantile(usual, USUAL_SHARE)
    middle = max(float(np.median(usual)), 1e-12)
    return {
        "copies": float(np.mean(found < least)),
        "distance": float(np.median(found)) / middle,
    }
