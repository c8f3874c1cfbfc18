"""Projections of codes to two dimensions, for plots."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

PERPLEXITY = 30.0


def principal_components(codes: np.ndarray) -> np.ndarray:
    """Projects codes on the two directions in which they vary most.

    Args:
        codes: `(n, dim)`, `n` at least 2.

    Returns:
        `(n, 2)`; a direction without variance gives zeros.
    """
    codes = _at_least_two_columns(codes)
    with np.errstate(invalid="ignore"):  # the unused shares of a variance of zero
        return PCA(2, svd_solver="full").fit_transform(codes)


def neighbour_embedding(codes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Embeds codes by t-SNE: near codes stay near, larger distances mean little.

    Reference:
        van der Maaten & Hinton, Visualizing Data using t-SNE, JMLR 2008.

    Args:
        codes: `(n, dim)`, `n` at least 5; a few thousand take seconds.
        seed: Integer.

    Returns:
        `(n, 2)`; zeros if all codes are equal.
    """
    codes = _at_least_two_columns(codes)
    if np.ptp(codes, axis=0).max() == 0:
        return np.zeros((len(codes), 2))
    perplexity = min(PERPLEXITY, (len(codes) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    with threadpool_limits(
        1, user_api="openmp"
    ):  # on a busy machine, waiting took 10 times as long
        return tsne.fit_transform(codes)


def _at_least_two_columns(codes: np.ndarray) -> np.ndarray:
    missing = max(0, 2 - codes.shape[1])
    return np.pad(codes.astype(np.float64), [(0, 0), (0, missing)])
