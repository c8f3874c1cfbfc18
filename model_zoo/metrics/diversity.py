"""Diversity: how far apart images lie, pixel by pixel."""

from __future__ import annotations

import numpy as np


def mean_pairwise_distance(groups: np.ndarray) -> float:
    """Mean Euclidean pixel distance between the pairs within each group of images.

    Args:
        groups: `(groups, images, ...)` uint8, at least 2 images a group.

    Returns:
        Mean over all groups and pairs, in pixel levels (the root of a sum over pixels).
    """
    num_groups, num_images = groups.shape[:2]
    flat = groups.reshape(num_groups, num_images, -1).astype(np.float32)
    squares = np.sum(flat**2, axis=-1)
    products = np.einsum("gid,gjd->gij", flat, flat)
    squared = np.maximum(squares[:, :, None] + squares[:, None, :] - 2 * products, 0)
    first, second = np.triu_indices(num_images, k=1)
    return float(np.sqrt(squared[:, first, second]).mean())


def relative_diversity(
    variants: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int = 0
) -> float:
    """Spread among the variants of one anchor over the spread among real images of one class.

    Args:
        variants: `(anchors, variants, height, width, channels)` uint8, at least 2 variants.
        images: `(n, height, width, channels)` uint8, real images.
        labels: `(n,)` integers, their classes.
        seed: Seed of the choice of 200 images a class.

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
