"""The priors of the zs/zu model as arrays, for export."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture

Prior = dict[str, np.ndarray]
"""`weights` `(C, K)`, `loc` and `scale` `(C, K, dim)`, and perhaps `axes` `(dim, dim)`."""
POOLED_EXAMPLES = 10
"""How many examples of a class the variances within all classes count as."""


def learnt_components(mixture: ClassMixture) -> Prior:
    """The learnt component of each class."""
    components = mixture.components()
    return _one_a_class(*(np.asarray(a) for a in (components.mean(), components.stddev())))


def refitted_components(codes: np.ndarray, labels: np.ndarray, num_classes: int) -> Prior:
    """Mean and standard deviation of the codes `(n, dim)` of each class, `(n,)`."""
    by_class = [codes[labels == label] for label in range(num_classes)]
    loc = np.stack([some.mean(axis=0) for some in by_class])
    return _one_a_class(loc, np.stack([some.std(axis=0) for some in by_class]))


def class_gaussians(codes: np.ndarray, labels: np.ndarray, num_classes: int) -> Prior:
    """A Gaussian for each class, with the principal axes of all and variances of its own on them.

    The axes are those of the covariance within classes. A class's variance on an axis is shrunk to
    that of all classes, so that classes of few examples have Gaussians, too.

    Reference:
        Flury, Common Principal Components in k Groups, JASA 1984. Deviates: the axes are those of
        the pooled covariance, not the estimate of maximum likelihood.

    Args:
        codes: `(n, dim)` floats.
        labels: Classes, `(n,)`; every class at least once.
        num_classes: Number of classes.
    """
    codes = codes.astype(np.float64)
    counts = np.bincount(labels, minlength=num_classes)
    means = np.stack([codes[labels == label].mean(axis=0) for label in range(num_classes)])
    rest = codes - means[labels]
    pooled, axes = np.linalg.eigh(rest.T @ rest / max(len(codes) - num_classes, 1))
    pooled = np.maximum(pooled, 0)  # rounding can make it negative
    squares = np.square(rest @ axes)
    own = np.stack([squares[labels == label].sum(axis=0) for label in range(num_classes)])
    variances = (own + POOLED_EXAMPLES * pooled) / (counts - 1 + POOLED_EXAMPLES)[:, None]
    return _one_a_class(means, np.sqrt(variances)) | {"axes": axes.T}


def centred_normal(scale: np.ndarray) -> Prior:
    """One component for all classes, with mean 0 and standard deviations `(dim,)`."""
    return _one_a_class(np.zeros_like(scale)[None], scale[None])


def _one_a_class(loc: np.ndarray, scale: np.ndarray) -> Prior:
    weights = np.ones((len(loc), 1), np.float32)
    return {"weights": weights, "loc": loc[:, None], "scale": scale[:, None]}
