"""The priors of DRIT as arrays, for export."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.networks.value_mixture import mixture_of_values

MOST_CODES = 32
"""Most training codes of each class that `content` is drawn from."""


def looks_of_domains(looks: np.ndarray, domains: np.ndarray, num_domains: int) -> dict:
    """A mixture of one component for each domain, which never draws one domain in another's style.

    Styles are Gaussian in each domain. N(0, 1), from which training draws them, is not where their
    codes are: the generator takes the domain of a style for that of its code.

    Args:
        looks: Codes of the block, styles then one-hots of domains, `(n, style_dim + num_domains)`.
        domains: True domains, `(n,)`.
        num_domains: Number of domains.

    Returns:
        The arrays of `mixture_of_values`, with one-hots as means and a scale of 0 there; and
        `directions`, the axes of the style, each one standard deviation within domains long.
    """
    style_dim = looks.shape[1] - num_domains
    prior = mixture_of_values(looks[:, :style_dim], domains)
    one_hots = np.eye(num_domains, dtype=np.float32)[None, np.unique(domains)]
    within = np.sqrt(np.sum(prior["weights"][..., None] * np.square(prior["scale"]), axis=(0, 1)))
    directions = np.zeros((style_dim, looks.shape[1]), np.float32)
    np.fill_diagonal(directions, within)
    return prior | {
        "loc": np.concatenate([prior["loc"], one_hots], axis=-1),
        "scale": np.concatenate([prior["scale"], np.zeros_like(one_hots)], axis=-1),
        "directions": directions,
    }
