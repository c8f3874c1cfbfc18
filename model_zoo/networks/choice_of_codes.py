"""A prior that is a choice among training codes, for blocks that no Gaussian fits."""

from __future__ import annotations

import numpy as np

MOST_VALUES = 1 << 24
"""Most values of the codes of all classes together: 64 MiB."""


def choice_of_codes(codes: np.ndarray, labels: np.ndarray, num_classes: int, most: int) -> dict:
    """A choice among some training codes of each class, spread over the training examples.

    Args:
        codes: `(n, dim)`.
        labels: Classes, `(n,)`; every class at least once.
        num_classes: Number of classes.
        most: Most codes of each class.

    Returns:
        `weights` `(classes, K)`, `loc` `(classes, K, dim)`, and a `scale` of 0. A class of fewer
        than K codes has some of them several times.
    """
    count = max(1, min(most, MOST_VALUES // (num_classes * codes.shape[1])))
    rows = np.empty((num_classes, count), np.int64)
    for label in range(num_classes):
        members = np.flatnonzero(labels == label)
        rows[label] = members[np.arange(count) * max(len(members) // count, 1) % len(members)]
    loc = codes[rows].astype(np.float32)
    weights = np.full((num_classes, count), 1 / count, np.float32)
    return {"weights": weights, "loc": loc, "scale": np.zeros_like(loc)}
