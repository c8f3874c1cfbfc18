"""Rules of the recipes: each fills the columns of a plan that keeps every block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from augment.donors import DonorBank
from augment.matching import match_donors
from augment.plan import Anchors, Source, VariantPlan
from augment.randomness import derive, identity_keys, uniforms

__all__ = [
    "Request",
    "interpolate_carriers",
    "interpolate_free",
    "keep",
    "sample_all",
    "sample_free",
    "swap_free",
]


@dataclass(frozen=True, eq=False)
class Request:
    """What a rule goes by, besides the plan that it fills.

    Args:
        anchors: The anchors of the plan.
        seed: Integer, the seed of the run.
        attempt: Integer, 0 for the first try.
        donors: The bank that donors come from, or None.
        options: Every option of the recipe.
    """

    anchors: Anchors
    seed: int
    attempt: int
    donors: DonorBank | None
    options: Mapping[str, float]


def keep(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps every block."""
    return plan


def sample_free(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps the blocks that carry the class and draws the others."""
    return _sample(plan, _free_blocks(plan), request.options["temperature"])


def sample_all(plan: VariantPlan, request: Request) -> VariantPlan:
    """Draws every block, those that carry the class from the prior of the variant's class."""
    carriers = _carriers(plan)
    for name in carriers:
        if not plan.spec[name].prior.is_class_conditional:
            raise ValueError(
                f"Recipe '{plan.recipe}' cannot draw block '{name}'. Expected: a prior for each "
                "class. Received: one prior for all classes. Choose a recipe that keeps this block."
            )
    plan = _sample(plan, plan.spec.free_of("label"), 1.0)
    return _sample(plan, carriers, request.options["temperature"])


def swap_free(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps the blocks that carry the class and takes all others from one donor."""
    same_class = request.options["same_class"] == 1
    rows = _match(plan, request, _walk_keys(plan, request), same_class=same_class)
    names = _free_blocks(plan)
    return _with_source(plan, names, Source.DONOR, donors=dict.fromkeys(names, rows))


def interpolate_free(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps the blocks that carry the class and interpolates the others within the class."""
    return _interpolate(plan, request, _free_blocks(plan))


def interpolate_carriers(plan: VariantPlan, request: Request) -> VariantPlan:
    """Interpolates the blocks that carry the class within the class and keeps the others."""
    return _interpolate(plan, request, _carriers(plan))


def _sample(plan: VariantPlan, names: Sequence[str], temperature: float) -> VariantPlan:
    plan = _with_source(plan, names, Source.PRIOR)
    temperatures = plan.temperatures | dict.fromkeys(names, temperature)
    return replace(plan, temperatures=temperatures)


def _interpolate(plan: VariantPlan, request: Request, names: Sequence[str]) -> VariantPlan:
    """Mixes blocks with those of donors of the class, each with a donor and a share of its own."""
    low, high = request.options["low"], request.options["high"]
    walks = _walk_keys(plan, request)
    rows, weights = {}, {}
    for name in names:
        keys = derive(walks, plan.spec.names.index(name))
        rows[name] = _match(plan, request, keys, same_class=True)
        share = low + (high - low) * uniforms(plan.block_keys(name), 1)[:, 0]
        weights[name] = share.astype(np.float32)
    return _with_source(plan, names, Source.MIX, donors=rows, weights=weights)


def _with_source(
    plan: VariantPlan,
    names: Sequence[str],
    source: Source,
    donors: Mapping[str, np.ndarray] | None = None,
    weights: Mapping[str, np.ndarray] | None = None,
) -> VariantPlan:
    """Returns the plan with one source for some blocks of every variant."""
    return replace(
        plan,
        sources=plan.sources | {name: np.full(len(plan), source, np.int8) for name in names},
        donors=plan.donors | dict(donors or {}),
        weights=plan.weights | dict(weights or {}),
    )


def _match(
    plan: VariantPlan, request: Request, keys: np.ndarray, *, same_class: bool
) -> np.ndarray:
    if request.donors is None:
        raise ValueError(
            f"Recipe '{plan.recipe}' needs donors. Expected: a donor bank. Received: donors=None. "
            "Build one with `DonorBank.build`."
        )
    plan.spec.check(request.donors.latents)
    return match_donors(
        plan,
        request.anchors,
        request.donors,
        keys,
        attempt=request.attempt,
        same_class=same_class,
    )


def _walk_keys(plan: VariantPlan, request: Request) -> np.ndarray:
    """Returns a key per anchor, the same for all its variants and attempts."""
    return identity_keys(request.seed, f"{plan.recipe} donors", request.anchors.ids)


def _carriers(plan: VariantPlan) -> tuple[str, ...]:
    names = plan.spec.carriers("label")
    if not names:
        raise ValueError(
            f"Recipe '{plan.recipe}' has nothing to change. Expected: a block that carries the "
            f"class. Received: blocks {list(plan.spec.names)} without it. Name 'label' among the "
            "factors of a block."
        )
    return names


def _free_blocks(plan: VariantPlan) -> tuple[str, ...]:
    names = plan.spec.free_of("label")
    if not names:
        raise ValueError(
            f"Recipe '{plan.recipe}' has nothing to change. Expected: a block that does not carry "
            f"the class. Received: blocks {list(plan.spec.names)}, which all carry it. Choose "
            "'sample_class' or 'interpolate_class'."
        )
    return names
