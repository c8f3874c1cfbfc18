"""The priors of ELEGANT as arrays, for export."""

from __future__ import annotations

import numpy as np

MOST_IMAGES = 16
"""Most training images of each class that `source` is drawn from."""
MOST_VALUES = 1 << 24
"""Most values of the images of all classes together: 64 MiB."""
MOST_AXES = 8
"""Principal axes of an attribute that a traversal moves along."""
MOST_EXAMPLES = 2000
"""Most codes whose principal axes are computed."""


def choice_of_images(images: np.ndarray, labels: np.ndarray, num_classes: int) -> dict:
    """A choice among some training images of each class, spread over the training examples.

    Args:
        images: Flat images, `(n, dim)`.
        labels: Classes, `(n,)`; every class at least once.
        num_classes: Number of classes.

    Returns:
        `weights` `(classes, K)`, `loc` `(classes, K, dim)`, and a `scale` of 0. A class of fewer
        than K images has some of them several times.
    """
    count = max(1, min(MOST_IMAGES, MOST_VALUES // (num_classes * images.shape[1])))
    rows = np.empty((num_classes, count), np.int64)
    for label in range(num_classes):
        members = np.flatnonzero(labels == label)
        rows[label] = members[np.arange(count) * max(len(members) // count, 1) % len(members)]
    loc = images[rows].astype(np.float32)
    weights = np.full((num_classes, count), 1 / count, np.float32)
    return {"weights": weights, "loc": loc, "scale": np.zeros_like(loc)}


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
