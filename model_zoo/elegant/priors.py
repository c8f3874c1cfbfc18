"""The priors of ELEGANT as arrays, for export."""

from __future__ import annotations

import numpy as np

MOST_IMAGES = 16
"""Most training images of each class that `source` is drawn from."""
MOST_AXES = 8
"""Principal axes of an attribute that a traversal moves along."""
MOST_EXAMPLES = 2000
"""Most codes whose principal axes are computed."""


def principal_axes(codes: np.ndarray) -> np.ndarray:
    """Directions in which codes vary most, each one standard deviation long.

    Args:
        codes: `(n, dim)`.

    Returns:
        `(axes, dim)` float32, sorted by variance, at most `MOST_AXES`. The largest entry of each is
        positive.
    """
    step = -(-len(codes) // MOST_EXAMPLES)
    centred = codes[::step].astype(np.float64)
    centred -= centred.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:MOST_AXES] * lengths[:MOST_AXES, None] / np.sqrt(len(centred))
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return (axes * np.sign(largest)).astype(np.float32)
