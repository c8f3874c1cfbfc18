"""The priors of the hierarchically factorised VAE as arrays, for export."""

from __future__ import annotations

import numpy as np

from latentloom.model_zoo.hfvae.networks import HFVAENetworks
from latentloom.model_zoo.training.batches import Factors, labels_of


def fit_priors(
    networks: HFVAENetworks, latents, factors: Factors, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Fits the priors after training; see `HFVAE.fitted_priors`."""
    if networks.label_block:
        measured = networks.likelihood.measured_blocks
        return {block.name: block.prior_arrays() for block in networks.blocks} | {
            name: _one_gaussian(np.asarray(latents[name])) for name in measured
        }
    labels = np.asarray(labels_of(factors))
    return {
        name: density.fit(np.asarray(latents[name]), labels, seed)
        for name, density in networks.densities.items()
    }


def _one_gaussian(codes: np.ndarray) -> dict[str, np.ndarray]:
    """Fits weights, loc and scale of one component for all classes to codes `(n, dim)`."""
    loc, scale = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    arrays = {"loc": loc[None, None], "scale": scale[None, None], "weights": np.ones((1, 1))}
    return {name: array.astype(np.float32) for name, array in arrays.items()}
