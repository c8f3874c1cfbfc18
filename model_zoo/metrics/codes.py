"""Information in a latent code: on the class, in active units, and relative to the prior."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax
from scipy.stats import entropy

ACTIVE_VARIANCE = 0.01
"""Variance of a mean code above which a unit counts as active, as in the paper."""


def class_entropy(labels: np.ndarray) -> float:
    """Entropy in nats of the class shares of `labels`, `(n,)` integers."""
    return float(entropy(np.bincount(labels)))


def mutual_information_bound(scores: np.ndarray, labels: np.ndarray) -> float:
    """Lower bound on the mutual information of code and class, from a model's class scores.

    The entropy of the class shares minus the cross-entropy of the softmax of the scores. Negative
    if the model is worse than the class shares.

    Reference:
        Barber & Agakov, The IM Algorithm: A Variational Approach to Information Maximization,
        NIPS 2003.

    Args:
        scores: `(n, num_classes)`, log probabilities of the classes up to a constant a row.
        labels: `(n,)` integers in `[0, num_classes)`.

    Returns:
        Nats, at most the entropy of the class shares.
    """
    log_probabilities = log_softmax(np.asarray(scores, np.float64), axis=-1)
    cross_entropy = -np.mean(log_probabilities[np.arange(len(labels)), labels])
    return class_entropy(labels) - float(cross_entropy)


def active_units(codes: np.ndarray, threshold: float = ACTIVE_VARIANCE) -> int:
    """Number of dimensions that vary between examples.

    Reference:
        Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016,
        https://arxiv.org/abs/1509.00519, section 5.1.

    Args:
        codes: `(n, dim)`, means of the posterior.
        threshold: Variance over the examples above which a dimension counts.

    Returns:
        An integer in `[0, dim]`.
    """
    return int(np.sum(np.var(codes, axis=0, dtype=np.float64) > threshold))


def kl_from_standard_normal(loc: np.ndarray, scale: np.ndarray) -> float:
    """Mean KL divergence of diagonal Gaussians from the standard normal.

    Args:
        loc: `(n, dim)`.
        scale: `(n, dim)`, standard deviations.

    Returns:
        Nats, summed over dimensions and averaged over examples; infinite where a scale is 0.
    """
    loc, scale = loc.astype(np.float64), scale.astype(np.float64)
    with np.errstate(divide="ignore"):
        terms = 0.5 * (scale**2 + loc**2 - 1.0) - np.log(scale)
    return float(np.mean(np.sum(terms, axis=-1)))
