"""Distance of a set of images from real images, in the feature space of a classifier.

The features come from a classifier trained on the same data, not from Inception. So figures are
comparable only if the same classifier measured them.
"""

from __future__ import annotations

import numpy as np

BLOCK = 1024
"""Number of rows of a distance matrix held at once."""


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Squared Wasserstein-2 distance of two Gaussians fitted to features, in float64.

    Reference:
        Heusel et al., NeurIPS 2017, https://arxiv.org/abs/1706.08500, equation 6.

    Args:
        real: `(n, dim)` features.
        generated: `(m, dim)` features.

    Returns:
        At least 0. Few rows bias it upwards: compare sets of equal size.

    Raises:
        ValueError: A set has fewer than two rows, or a feature is not finite.
    """
    (mean, covariance), (other_mean, other) = (_moments(x) for x in (real, generated))
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ other @ root)
    cross = np.sum(np.sqrt(np.maximum(product, 0.0)))
    distance = np.sum((mean - other_mean) ** 2) + np.trace(covariance) + np.trace(other) - 2 * cross
    return float(max(distance, 0.0))


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Squared maximum mean discrepancy with the kernel `(x . y / dim + 1)^3`, without bias.

    Reference:
        Binkowski et al., ICLR 2018, https://arxiv.org/abs/1801.01401 (KID).

    Args:
        real: `(n, dim)` features.
        generated: `(m, dim)` features.

    Returns:
        0 on average for sets of the same distribution, so it can be negative.

    Raises:
        ValueError: A set has fewer than two rows, or a feature is not finite.
    """
    real, generated = _checked(real), _checked(generated)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1.0) ** 3

    def mean_of_pairs(a: np.ndarray) -> float:
        matrix = kernel(a, a)
        return float((matrix.sum() - np.trace(matrix)) / (len(a) * (len(a) - 1)))

    cross = float(kernel(real, generated).mean())
    return mean_of_pairs(real) + mean_of_pairs(generated) - 2 * cross


def neighbourhood_figures(
    real: np.ndarray,
    generated: np.ndarray,
    neighbours: int = 5,
    groups: np.ndarray | None = None,
) -> dict[str, float]:
    """Precision, recall, density and coverage by nearest neighbours.

    A neighbourhood is the ball around an image up to the k-th nearest image of its own set. Where
    generated images come in groups, it reaches to the k-th nearest other group (ours): a ball
    among variants of one anchor would say how alike these are, not where generated images lie.

    Reference:
        Precision and recall: Kynkaanniemi et al., NeurIPS 2019, https://arxiv.org/abs/1904.06991,
        equation 2. Density and coverage: Naeem et al., ICML 2020,
        https://arxiv.org/abs/2002.09797, equations 3 and 4.

    Args:
        real: `(n, dim)` features.
        generated: `(m, dim)` features.
        neighbours: Integer, the k of the neighbourhoods, below `n` and the number of groups.
        groups: `(m,)` ids of what generated images come from, such as an anchor; None for a group
            each.

    Returns:
        `precision`: share of generated images in a real neighbourhood; `recall`: share of real
        images in a generated neighbourhood; `density`: mean number of real neighbourhoods around a
        generated image, over k; `coverage`: share of real neighbourhoods with a generated image.

    Raises:
        ValueError: A set has at most `neighbours` rows or groups, or a feature is not finite.
    """
    real, generated = (_checked(features, neighbours + 1) for features in (real, generated))
    real_radius = _radius(real, neighbours)
    if groups is None:
        generated_radius = _radius(generated, neighbours)
    else:
        generated, starts = _grouped(generated, groups, neighbours + 1)
        generated_radius = _radius(generated, neighbours, starts)
    within_real, covered, recalled = [], np.zeros(len(real), bool), np.zeros(len(real), bool)
    for start in range(0, len(generated), BLOCK):
        rows = slice(start, start + BLOCK)
        squares = _squared_distances(generated[rows], real)
        inside = squares <= real_radius
        within_real.append(inside.sum(axis=1))
        covered |= inside.any(axis=0)
        recalled |= (squares <= generated_radius[rows, None]).any(axis=0)
    numbers = np.concatenate(within_real)
    return {
        "precision": float(np.mean(numbers > 0)),
        "recall": float(np.mean(recalled)),
        "density": float(np.mean(numbers) / neighbours),
        "coverage": float(np.mean(covered)),
    }


def _grouped(features: np.ndarray, groups: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows sorted by group, and where each group starts."""
    _, starts = np.unique(np.sort(groups), return_index=True)
    if len(starts) < least:
        raise ValueError(
            f"These features cannot be compared. Expected: at least {least} groups. "
            f"Received: {len(starts)}. Give variants of more anchors."
        )
    return features[np.argsort(groups, kind="stable")], starts


def _radius(features: np.ndarray, neighbours: int, starts: np.ndarray | None = None) -> np.ndarray:
    """Squared distance of every row to its k-th nearest other row, or other group of rows."""
    radii = []
    for start in range(0, len(features), BLOCK):
        squares = _squared_distances(features[start : start + BLOCK], features)
        if starts is not None:
            squares = np.minimum.reduceat(squares, starts, axis=1)
        radii.append(np.partition(squares, neighbours, axis=1)[:, neighbours])
    return np.concatenate(radii)


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    return np.maximum(squares, 0.0)


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = _checked(features)
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def _checked(features: np.ndarray, least: int = 2) -> np.ndarray:
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) < least or not np.isfinite(features).all():
        raise ValueError(
            f"These features cannot be compared. Expected: finite, `(n, dim)` with n >= {least}. "
            f"Received: shape={features.shape}, finite={bool(np.isfinite(features).all())}. "
            "Give more images."
        )
    return features
