"""Executes a plan: the only place where latent codes are made."""

from __future__ import annotations

import numpy as np

from latentloom.augment.latents import Latents
from latentloom.augment.plan import Origin, VariantPlan

__all__ = ["recombine"]


def recombine(latents: Latents, donors: Latents | None, plan: VariantPlan) -> Latents:
    """Makes the latents of every variant of a plan.

    Args:
        latents: The anchors' latents, `(n, dim)` per block; `plan.anchor` indexes their rows.
        donors: The donor bank's latents, indexed by `plan.donors`. None if the plan has none.
        plan: What to make.

    Returns:
        New latents with one row per variant. Kept blocks are bit-equal to the anchor's.

    Raises:
        ValueError: If latents or donors do not fit the plan.
    """
    _check_rows("anchors", latents, plan, plan.anchor)
    rows = np.concatenate(list(plan.donors.values()))
    if (rows >= 0).any():
        _check_rows("donors", donors, plan, rows)
    else:
        donors = None
    return {name: _recombine_block(name, latents, donors, plan) for name in plan.spec.names}


def _recombine_block(
    name: str, latents: Latents, donors: Latents | None, plan: VariantPlan
) -> np.ndarray:
    origins = plan.origins[name]
    block = latents[name][plan.anchor]  # a copy, (V, dim)

    drawn = np.flatnonzero(origins == Origin.PRIOR)
    prior = plan.spec[name].prior
    block[drawn] = prior.sample(
        plan.block_keys(name)[drawn], plan.label[drawn], plan.temperatures[name]
    )
    moved = np.flatnonzero(origins == Origin.SHIFT)
    axes = plan.axes[name][moved]
    block[moved, axes] += plan.shifts[name][moved] * prior.spread[axes]
    if donors is None:
        return block

    swapped = np.flatnonzero(origins == Origin.DONOR)
    block[swapped] = donors[name][plan.donors[name][swapped]]

    mixed = np.flatnonzero(origins == Origin.MIX)
    ends = block[mixed], donors[name][plan.donors[name][mixed]]
    block[mixed] = _interpolate(*ends, plan.weights[name][mixed, None])
    return block


def _interpolate(start: np.ndarray, end: np.ndarray, weights: np.ndarray) -> np.ndarray:
    point = (1 - weights) * start + weights * end
    # Rounding can push the sum past an end by one bit.
    return np.clip(point, np.minimum(start, end), np.maximum(start, end))


def _check_rows(kind: str, latents: Latents | None, plan: VariantPlan, rows: np.ndarray) -> None:
    if latents is None:
        raise ValueError(
            f"A plan of recipe '{plan.recipe}' has donors. Expected: the latents of the donor "
            "bank. Received: donors=None. Pass `bank.latents`."
        )
    num_rows = plan.spec.check(latents)
    if rows.size and rows.max() >= num_rows:
        raise ValueError(
            f"A plan of recipe '{plan.recipe}' points past its {kind}. Expected: rows below "
            f"{num_rows}. Received: row={rows.max()}. Pass the latents that the plan was made for."
        )
