"""The priors of the zs/zu model as arrays, for export."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture

Prior = dict[str, np.ndarray]
"""`weights` `(C, K)`, `loc` and `scale` `(C, K, dim)`."""


def learnt_components(mixture: ClassMixture) -> Prior:
    """The learnt component of each class."""
    components = mixture.components()
    return _one_a_class(*(np.asarray(a) for a in (components.mean(), components.stddev())))


def refitted_components(codes: np.ndarray, labels: np.ndarray, num_classes: int) -> Prior:
    """Mean and standard deviation of the codes `(n, dim)` of each class, `(n,)`."""
    by_class = [codes[labels == label] for label in range(num_classes)]
    loc = np.stack([some.mean(axis=0) for some in by_class])
    return _one_a_class(loc, np.stack([some.std(axis=0) for some in by_class]))


def centred_normal(scale: np.ndarray) -> Prior:
    """One component for all classes, with mean 0 and standard deviations `(dim,)`."""
    return _one_a_class(np.zeros_like(scale)[None], scale[None])


def _one_a_class(loc: np.ndarray, scale: np.ndarray) -> Prior:
    weights = np.ones((len(loc), 1), np.float32)
    return {"weights": weights, "loc": loc[:, None], "scale": scale[:, None]}
