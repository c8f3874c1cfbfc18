"""Rules of the recipes: each fills the columns of a plan that keeps every block."""

from __future__ import annotations

import numpy as np

from latentloom.augment.axes import traversed_axes, traversed_block
from latentloom.augment.cells import Targets
from latentloom.augment.matching import match_other_values, match_values, walk_pool
from latentloom.augment.origins import (
    Request,
    bank_of,
    carriers_of,
    draw_values,
    drawn_values,
    free_blocks,
    interpolate,
    match,
    sample,
    shift,
    take_over,
    walk_keys,
)
from latentloom.augment.plan import VariantPlan
from latentloom.augment.randomness import derive

__all__ = [
    "interpolate_carriers",
    "interpolate_factor",
    "interpolate_free",
    "keep",
    "recombine_factors",
    "sample_all",
    "sample_free",
    "swap_factor",
    "swap_free",
    "traverse",
]


def keep(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps every block."""
    return plan


def sample_free(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps the blocks that carry the class and draws the others, or moves them to a draw."""
    temperature, step = request.number("temperature"), request.number("step")
    return sample(plan, free_blocks(plan), temperature, step=step)


def sample_all(plan: VariantPlan, request: Request) -> VariantPlan:
    """Draws every block; blocks that carry the class come from the prior of the variant's class."""
    carriers = carriers_of(plan)
    for name in carriers:
        block = plan.spec[name]
        if not block.prior.is_class_conditional and block.drawn_factor != "label":
            raise ValueError(
                f"Recipe '{plan.recipe}' cannot draw block '{name}'. Expected: a prior for each "
                "class. Received: one prior for all classes. Choose a recipe that keeps this block."
            )
    plan = sample(plan, plan.spec.free_of("label"), 1.0)
    return sample(plan, carriers, request.number("temperature"), keeps=("label",))


def swap_free(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps the blocks that carry the class and takes all others from one donor."""
    same_class = request.options["same_class"] == 1
    rows = match(plan, request, walk_keys(plan, request), same_value=same_class)
    return take_over(plan, request, free_blocks(plan), rows)


def interpolate_free(plan: VariantPlan, request: Request) -> VariantPlan:
    """Keeps the blocks that carry the class and interpolates the others within the class."""
    return interpolate(plan, request, free_blocks(plan))


def interpolate_carriers(plan: VariantPlan, request: Request) -> VariantPlan:
    """Interpolates the blocks that carry the class within the class and keeps the others."""
    return interpolate(plan, request, carriers_of(plan))


def swap_factor(plan: VariantPlan, request: Request) -> VariantPlan:
    """Takes the blocks that carry one factor from a donor with another value of it, or draws them.

    With the option `guided` off, another value is chosen, and the blocks are drawn from what their
    prior knows of it.
    """
    factor, names = request.factor, carriers_of(plan, request.factor)
    if set(names) & set(plan.spec.carriers("label")):
        raise ValueError(
            f"Recipe '{plan.recipe}' would change the class. Expected: a factor whose blocks do "
            f"not carry 'label'. Received: factor={factor!r} in blocks {list(names)}. Choose "
            "'recombine_factors' or 'swap_zu'."
        )
    keys = walk_keys(plan, request)
    if not request.options["guided"]:
        known = drawn_values(plan, names, factor)
        values = match_other_values(plan, request.anchors, known, keys, factor, request.clashes)
        return draw_values(plan, names, factor, values, request.number("temperature"))
    rows = match(plan, request, keys, factor=factor, same_value=False, clashes=request.clashes)
    return take_over(plan, request, names, rows)


def interpolate_factor(plan: VariantPlan, request: Request) -> VariantPlan:
    """Interpolates the blocks that carry one factor to the blocks of a donor.

    Keeps the factor if donors have the anchor's value of it; otherwise its value is unknown.
    """
    same_value = request.options["same_value"] == 1
    names = carriers_of(plan, request.factor)
    return interpolate(plan, request, names, request.factor, same_value=same_value)


def traverse(plan: VariantPlan, request: Request) -> VariantPlan:
    """Moves one block along one of its axes and keeps all else."""
    block = traversed_block(plan.spec, str(request.options["block"]))
    return shift(plan, request, block.name, traversed_axes(block, str(request.options["axes"])))


def recombine_factors(plan: VariantPlan, request: Request) -> VariantPlan:
    """Takes the blocks of each factor of the cell from a donor with its value, or draws them.

    The anchor is the donor of the first factor, and of all factors that the cell does not name.
    With the option `guided` off, they are drawn from what their prior knows of the value.
    """
    targets = _targets(plan, request)
    given = list(targets.factors)[1:]
    _check_apart(plan, tuple(targets.factors))
    plan = _restyle(plan, request, derive(targets.keys, len(given)), targets.steps)
    for index, factor in enumerate(given):
        if not request.options["guided"]:
            plan = _drawn(plan, request, factor, targets.factors[factor])
            continue
        rows = match_values(
            bank_of(plan, request),
            factor,
            targets.factors[factor],
            derive(targets.keys, index),
            targets.steps,
            request.attempt,
        )
        plan = take_over(plan, request, plan.spec.carriers(factor), rows)
    return plan


def _drawn(plan: VariantPlan, request: Request, factor: str, values: np.ndarray) -> VariantPlan:
    """Draws the blocks of a factor of the cell; rejects values that their prior does not know."""
    names = carriers_of(plan, factor)
    known = drawn_values(plan, names, factor)
    if len(unknown := np.setdiff1d(values, known)):
        raise ValueError(
            f"Recipe '{plan.recipe}' cannot draw value {unknown[0]} of factor '{factor}'. "
            f"Expected: one of {known.tolist()}, of which training saw examples. Received: "
            f"value {unknown[0]}. Leave its cells out, or train with examples of it."
        )
    return draw_values(plan, names, factor, values, request.number("temperature"))


def _targets(plan: VariantPlan, request: Request) -> Targets:
    """Returns the cells of the variants; checks that anchors have the value of the first factor."""
    targets = request.anchors.targets
    if targets is None:
        raise ValueError(
            f"Recipe '{plan.recipe}' needs cells. Expected: anchors with targets. Received: "
            "targets=None. Allot them with `allot_cells`."
        )
    first = next(iter(targets.factors))
    if not np.array_equal(targets.factors[first], plan.factors[first]):
        raise ValueError(
            f"Recipe '{plan.recipe}' has anchors that do not fit their cells. Expected: the cell's "
            f"value of '{first}'. Received: another. Allot the cells with `allot_cells`."
        )
    return targets


def _restyle(
    plan: VariantPlan, request: Request, keys: np.ndarray, steps: np.ndarray
) -> VariantPlan:
    """Takes the blocks without factors from the origin that the option `style` names."""
    names = tuple(block.name for block in plan.spec if not block.factors)
    if not names or request.options["style"] == "anchor":
        return plan
    if request.options["style"] == "prior":
        return sample(plan, names, request.number("temperature"))
    pool = np.arange(len(bank_of(plan, request)))
    rows = walk_pool(pool, keys, steps, request.attempt) if len(plan) else pool[:0]
    return take_over(plan, request, names, rows)


def _check_apart(plan: VariantPlan, factors: tuple[str, ...]) -> None:
    """Rejects factors of a cell that share a block or have no block."""
    for factor in factors:
        for name in carriers_of(plan, factor):
            shared = [other for other in plan.spec[name].factors if other in factors]
            if len(shared) > 1:
                raise ValueError(
                    f"Recipe '{plan.recipe}' cannot give block '{name}' two values. Expected: "
                    f"factors in blocks of their own. Received: {shared} in one block. Leave one "
                    "of them out of the grid."
                )
