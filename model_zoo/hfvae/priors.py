"""The priors of the hierarchically factorised VAE as arrays, for export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model_zoo.batches import Factors, labels_of

if TYPE_CHECKING:
    from model_zoo.hfvae.hfvae import HFVAE


def fit_priors(model: HFVAE, latents, factors: Factors) -> dict[str, dict[str, np.ndarray]]:
    """The priors that classes are drawn from; see `HFVAE.fitted_priors`."""
    if model.label_block:
        return {block.name: block.prior_arrays() for block in model.parts}
    labels = np.asarray(labels_of(factors))
    return {
        name: density.fit(np.asarray(latents[name]), labels, model.seed)
        for name, density in model.densities.items()
    }
