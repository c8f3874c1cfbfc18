"""Diversity: Euclidean distances between images, in pixels, or between vectors, in features."""

from __future__ import annotations

import numpy as np


def mean_pairwise_distance(groups: np.ndarray) -> float:
    """Mean Euclidean distance between the pairs within each group of images or vectors.

    Args:
        groups: `(groups, images, ...)` as stored, at least 2 images a group.

    Returns:
        Mean over all groups and pairs; for images in pixel levels (the root of a sum over pixels).
    """
    pairs = np.triu_indices(groups.shape[1], k=1)
    return float(np.mean([_distances(images)[pairs] for images in groups]))


def _distances(images: np.ndarray) -> np.ndarray:
    """Distance of every image to every other; float64 holds the sums of uint8 exactly."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    products = flat @ flat.T
    squares = np.diag(products)
    return np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * products, 0.0))


def relative_diversity(
    variants: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int = 0
) -> float:
    """Spread among the variants of one anchor over the spread among real images of one class.

    Args:
        variants: `(anchors, variants, ...)` images or vectors as stored, at least 2 variants.
        images: `(n, ...)` real images or vectors, as stored.
        labels: `(n,)` integers, classes of the images.
        seed: Seed of the choice of up to 200 images a class.

    Returns:
        Ratio of the mean pairwise distances; 0 for a model that ignores its style code.

    Raises:
        ValueError: No class has two images.
    """
    generator = np.random.default_rng(seed)
    spreads = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) > 1:
            chosen = generator.choice(rows, min(200, len(rows)), replace=False)
            spreads.append(mean_pairwise_distance(images[chosen][None]))
    if not spreads:
        raise ValueError(
            "Diversity inside a class needs real pairs. Expected: a class with two images or more. "
            f"Received: images={len(images)}. Give more real images."
        )
    return mean_pairwise_distance(variants) / float(np.mean(spreads))
