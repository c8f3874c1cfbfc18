"""Mutual information of single dimensions and factors, its gap (MIG), and modularity."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from latentloom.model_zoo.metrics.disentanglement.labelled_codes import Factors, LabelledCodes

BINS = 20
"""Equal bins of a dimension between its least and its largest code, as in disentanglement_lib."""


def mutual_information(codes: np.ndarray, factors: Factors) -> np.ndarray:
    """Mutual information of every binned dimension and every factor, from their joint counts.

    The estimate is biased upwards, by about `(20 - 1) (values - 1) / (2 n)` if both are
    independent.

    Args:
        codes: `(n, dim)`; a few thousand examples keep the bias small.
        factors: Integers, `(n,)` by name or `(n, num_factors)`.

    Returns:
        Nats, at least 0, `(dim, num_factors)`.

    Raises:
        ValueError: Codes and factors cannot be compared.
    """
    return _information(LabelledCodes.check(codes, factors))


def mutual_information_gap(codes: np.ndarray, factors: Factors) -> float:
    """Mutual information gap (MIG): whether one dimension informs on a factor more than any other.

    `mean over factors of (I[first] - I[second]) / H(factor)`, where first and second are the two
    dimensions with the most mutual information.

    Reference:
        Chen et al., Isolating Sources of Disentanglement in Variational Autoencoders, NeurIPS
        2018, https://arxiv.org/abs/1802.04942, section 4. Deviates as disentanglement_lib does,
        where 10,000 examples are usual: mean codes in 20 bins instead of samples of the posterior.

    Args:
        codes: `(n, dim)`.
        factors: Integers, `(n,)` by name or `(n, num_factors)`. The gap of a factor with more
            values than bins is below 1.

    Returns:
        In `[0, 1]`; 0 if the two best dimensions of every factor have equal mutual information.

    Raises:
        ValueError: Codes and factors cannot be compared.
    """
    table = LabelledCodes.check(codes, factors)
    ranked = np.sort(_information(table), axis=0)
    entropies = [entr(np.bincount(column) / len(table)).sum() for column in table.values.T]
    return float(np.mean((ranked[-1] - ranked[-2]) / np.array(entropies)))


def modularity(codes: np.ndarray, factors: Factors) -> float:
    """Modularity: whether a dimension informs on one factor only.

    `mean over dimensions of 1 - sum over other factors of I**2 / (I[best]**2 (num_factors - 1))`.

    Reference:
        Ridgeway & Mozer, Learning Deep Disentangled Embeddings With the F-Statistic Loss, NeurIPS
        2018, https://arxiv.org/abs/1802.05312, section 3. With 20 bins, and 0 for a dimension
        without information, as in disentanglement_lib. All dimensions have the same weight. The
        mutual information of a noise dimension differs between factors by chance: it scores 0.3 to
        0.6, not 0, and more if factors differ in their number of values. Drop unused dimensions
        first.

    Args:
        codes: `(n, dim)`.
        factors: Integers, `(n,)` by name or `(n, num_factors)`.

    Returns:
        In `[0, 1]`.

    Raises:
        ValueError: Codes and factors cannot be compared.
    """
    squares = np.square(mutual_information(codes, factors))
    best = squares.max(axis=1)
    others = squares.sum(axis=1) - best
    spread = others / (np.where(best > 0, best, 1.0) * (squares.shape[1] - 1))
    return float(np.mean(np.where(best > 0, 1.0 - spread, 0.0)))


def _information(table: LabelledCodes) -> np.ndarray:
    places = _binned(table.codes)
    return np.stack([_shared(places, column) for column in table.values.T], axis=1)


def _binned(codes: np.ndarray) -> np.ndarray:
    """Bin of every code, `(n, dim)`; a constant dimension falls into one bin."""
    least, span = codes.min(axis=0), np.ptp(codes, axis=0)
    places = (codes - least) / np.where(span > 0, span, 1.0) * BINS
    places += 1e-9  # codes with few values may lie on edges, where rounding could reveal a factor
    return np.minimum(places.astype(np.int64), BINS - 1)


def _shared(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mutual information of each dimension and one factor, `(dim,)`."""
    (length, dim), num_values = places.shape, int(values.max()) + 1
    cells = (np.arange(dim) * BINS + places) * num_values + values[:, None]
    counts = np.bincount(cells.ravel(), minlength=dim * BINS * num_values)
    joint = counts.reshape(dim, BINS, num_values) / length
    separate = entr(joint.sum(axis=1)).sum(axis=1) + entr(joint.sum(axis=2)).sum(axis=1)
    shared = separate - entr(joint).sum(axis=(1, 2))
    return np.where(shared > 1e-12, shared, 0.0)  # less is rounding
