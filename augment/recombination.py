"""Executes a plan: the only place where latent codes are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.augment.latents import Latents
from latentloom.augment.plan import FROM_ANCHOR, FROM_DONOR, Origin, VariantPlan

__all__ = ["recombine"]


def recombine(latents: Latents, donors: Latents | None, plan: VariantPlan) -> Latents:
    """Makes the latents of every variant of a plan.

    Blocks that the plan does not read may be missing: see `blocks_read`.

    Args:
        latents: The anchors' latents, `(n, dim)` per block; `plan.anchor` indexes their rows.
        donors: The donor bank's latents, indexed by `plan.donors`. None if the plan has none.
        plan: What to make.

    Returns:
        New latents with one row per variant. Kept blocks are bit-equal to the anchor's.

    Raises:
        ValueError: If latents or donors do not fit the plan.
    """
    _check_rows("anchors", latents, plan, plan.blocks_from(FROM_ANCHOR), plan.anchor)
    if given := plan.blocks_from(FROM_DONOR):
        rows = np.concatenate([plan.donors[name] for name in given])
        _check_rows("donors", donors, plan, given, rows)
    else:
        donors = None
    return {name: _recombine_block(name, latents, donors, plan) for name in plan.spec.names}


def _recombine_block(
    name: str, latents: Latents, donors: Latents | None, plan: VariantPlan
) -> np.ndarray:
    origins = plan.origins[name]
    if name in latents:
        block = latents[name][plan.anchor]  # a copy, (V, dim)
    else:
        block = np.zeros((len(plan), plan.spec[name].dim), np.float32)

    prior, values = plan.spec[name].prior, plan.spec[name].values_of(plan.factors)

    def draws(rows: np.ndarray) -> tuple:
        wanted = None if values is None else values[rows]
        return plan.block_keys(name)[rows], plan.label[rows], plan.temperatures[name], wanted

    drawn = np.flatnonzero(origins == Origin.PRIOR)
    block[drawn] = prior.sample(*draws(drawn))
    stepped = np.flatnonzero(origins == Origin.STEP)
    block[stepped] = prior.step(block[stepped], plan.weights[name][stepped], *draws(stepped))
    moved = np.flatnonzero(origins == Origin.SHIFT)
    block[moved] = prior.shifted(block[moved], plan.axes[name][moved], plan.shifts[name][moved])
    if donors is None or name not in donors:
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


def _check_rows(
    kind: str,
    latents: Latents | None,
    plan: VariantPlan,
    needed: Sequence[str],
    rows: np.ndarray,
) -> None:
    if latents is None:
        raise ValueError(
            f"A plan of recipe '{plan.recipe}' has donors. Expected: the latents of the donor "
            "bank. Received: donors=None. Pass `bank.latents`."
        )
    num_rows = plan.spec.check(latents, needed)
    if latents and rows.size and rows.max() >= num_rows:
        raise ValueError(
            f"A plan of recipe '{plan.recipe}' points past its {kind}. Expected: rows below "
            f"{num_rows}. Received: row={rows.max()}. Pass the latents that the plan was made for."
        )
