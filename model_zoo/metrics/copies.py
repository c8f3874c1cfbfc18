"""Detects copies: compares generated observations with their nearest training examples."""

from __future__ import annotations

import numpy as np

BLOCK = 4096
"""Most training examples whose distances are held at once."""
BLOCK_BYTES = 64 << 20
"""Most bytes of these examples in float32, unless a single one is larger."""
USUAL_SHARE = 0.01
"""Share of held-out examples that are as near to a training example as a copy."""


def nearest_examples(
    rows: np.ndarray, train: np.ndarray, count: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the training examples nearest to every row, by Euclidean distance in float32.

    Args:
        rows: `(n, ...)` observations or features.
        train: `(m, ...)` of the same shape, of any type; cast in blocks.
        count: Integer, number of neighbours, at most `m`.

    Returns:
        Distances, float32, and positions in `train`, int64; both `(n, count)`, nearest first.

    Raises:
        ValueError: There are too few training examples, or the shapes differ.
    """
    if len(train) < count or rows.shape[1:] != train.shape[1:]:
        raise ValueError(
            f"There is nothing to find copies of. Expected: {count} or more training examples with "
            f"the shape of the rows. Received: {train.shape} for {rows.shape}. Give both alike."
        )
    rows = rows.reshape(len(rows), -1).astype(np.float32)
    offset = rows.mean(axis=0)  # small squares keep the rounding of their differences small
    rows -= offset
    least, places = np.full((len(rows), 0), 0, np.float32), np.zeros((len(rows), 0), np.int64)
    size = max(1, min(BLOCK, BLOCK_BYTES // max(4 * rows.shape[1], 1)))
    for start in range(0, len(train), size):
        block = train[start : start + size]
        block = block.reshape(len(block), -1).astype(np.float32) - offset
        squares = np.square(rows).sum(axis=1)[:, None] + np.square(block).sum(axis=1)
        found = np.concatenate([least, squares - 2 * rows @ block.T], axis=1)
        numbers = np.broadcast_to(np.arange(start, start + len(block)), squares.shape)
        best = np.argpartition(found, count - 1, axis=1)[:, :count]
        least = np.take_along_axis(found, best, axis=1)
        places = np.take_along_axis(np.concatenate([places, numbers], axis=1), best, axis=1)
    order = np.argsort(least, axis=1, kind="stable")
    least = np.sqrt(np.maximum(np.take_along_axis(least, order, axis=1), 0))
    return least, np.take_along_axis(places, order, axis=1)


def copy_figures(
    generated: np.ndarray, held_out: np.ndarray, train: np.ndarray
) -> dict[str, float]:
    """Compares the distance to training examples of generated and of held-out observations.

    Held-out examples of the same source are not copies, so their distances are the reference.

    Args:
        generated: `(n, ...)` observations or features.
        held_out: `(k, ...)` real examples that are not training examples.
        train: `(m, ...)` training examples.

    Returns:
        `copies`: share of the generated observations that are nearer to a training example than
        the `USUAL_SHARE` quantile of the held-out distances, about 0.01 if both have the same
        source; `distance`: median distance of the generated over the held-out observations.
    """
    found, usual = (nearest_examples(rows, train)[0][:, 0] for rows in (generated, held_out))
    least = np.quantile(usual, USUAL_SHARE)
    middle = max(float(np.median(usual)), 1e-12)
    return {
        "copies": float(np.mean(found < least)),
        "distance": float(np.median(found)) / middle,
    }
