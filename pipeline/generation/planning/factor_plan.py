"""Plans how a generation job uses factors: to write, to judge, to fill cells and to find donors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from latentloom.augment import (
    Coverage,
    LatentSpec,
    blocks_read,
    choose_cells,
    find_clashes,
    find_recipe,
    known_factors,
)
from latentloom.augment.spelling import nearest
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.examples import Factors
from latentloom.pipeline.generation.job import FactorPlan

BYTES_OF_NUMBER, MEBIBYTE = 4, 1 << 20


def plan_factors(
    settings: GenerateConfig,
    factors: Factors,
    spec: LatentSpec,
    readable: Sequence[str],
    count: Callable[[Sequence[str]], Coverage],
) -> FactorPlan:
    """Decides how a job uses factors.

    Args:
        settings: Section `generate` of the configuration.
        factors: Value names of the factors of the data.
        spec: The blocks of the model's code.
        readable: Factors that the judge classifies.
        count: Counts the examples by cell of the given factors; called only if the plan needs it.

    Raises:
        ValueError: Recipe, model, data and settings do not fit together.
    """
    plan = plan_uncounted(settings, factors, spec, readable)
    return with_counts(settings, plan, count(plan.banked)) if is_counted(settings, plan) else plan


def plan_uncounted(
    settings: GenerateConfig, factors: Factors, spec: LatentSpec, readable: Sequence[str]
) -> FactorPlan:
    """Decides what follows without the counts of the examples.

    Takes the arguments of `plan_factors` and raises its errors.
    """
    recipe, options = find_recipe(settings.recipe), settings.options
    carried = spec.carried(factors)
    grid = _grid(settings, carried)
    in_cells = grid if recipe.fills_cells else ()
    written = known_factors(recipe.name, spec, list(factors), options, in_cells)
    blocks = blocks_read(recipe.name, spec, list(factors), options, in_cells)
    if settings.detail:  # anchors are decoded whole
        blocks = replace(blocks, anchors=spec.names)
    judged = tuple(name for name in written if name in readable)
    if recipe.fills_cells:
        _check_fillable(settings, tuple(name for name in grid if name in written), readable)
    names = {name: factors[name] for name in carried}
    clashes = find_clashes(names, settings.differ)
    plan = FactorPlan(blocks, written, judged, carried, clashes=clashes)
    if blocks.donors:
        _check_memory(settings, spec, blocks.donors, sum(map(len, names.values())))
    return plan


def is_counted(settings: GenerateConfig, plan: FactorPlan) -> bool:
    """Whether the plan of a recipe needs the counts of the examples by cell."""
    recipe = find_recipe(settings.recipe)
    matched = recipe.matched_by(settings.options)
    of_class = len(plan.written) == 1 and matched is not None and matched[0] == "label"
    return recipe.needs_donors and not of_class


def with_counts(settings: GenerateConfig, plan: FactorPlan, counted: Coverage) -> FactorPlan:
    """Completes the plan of a recipe that needs counts.

    Args:
        settings: Section `generate` of the configuration.
        plan: The plan without counts.
        counted: Examples of each cell of the plan's `banked` factors.

    Raises:
        ValueError: An example would have no donor, or no cell is left to fill.
    """
    recipe = find_recipe(settings.recipe)
    matched = recipe.matched_by(settings.options)
    if matched and matched[0] != "label":
        _check_donors(counted, *matched)
    grid = _grid(settings, plan.banked)
    coverage = counted.over([name for name in grid if name in plan.written])
    cells = None
    if recipe.fills_cells:
        cells = choose_cells(coverage, settings.cells, settings.per_cell, plan.clashes)
    return replace(plan, coverage=coverage, cells=cells)


def _grid(settings: GenerateConfig, carried: Sequence[str]) -> tuple[str, ...]:
    """The factors of the configuration in the order of the data; defaults to all carried ones."""
    for name in settings.factors or ():
        if name not in carried:
            raise ValueError(
                f"No block carries factor '{name}'. Expected: factors of the data that a "
                f"block of the code carries, {sorted(carried)}. Received: generate.factors="
                f"{settings.factors}. {nearest(name, carried)}"
            )
    return tuple(name for name in carried if name in (settings.factors or carried))


def _check_fillable(settings: GenerateConfig, grid: Sequence[str], readable: Sequence[str]) -> None:
    """Rejects a grid of one factor, quotas by class, and grid factors the judge does not read."""
    if len(grid) < 2:
        raise ValueError(
            f"The recipe '{settings.recipe}' needs several factors. Expected: two or more factors "
            f"that blocks of the code carry. Received: factors={list(grid)}. Name more in "
            "generate.factors, or train a model with a block for each factor."
        )
    if settings.sampling_strategy is not None:
        raise ValueError(
            f"The recipe '{settings.recipe}' fills cells, not classes. Expected: no "
            f"sampling_strategy. Received: sampling_strategy={settings.sampling_strategy!r}. Set "
            "generate.cells and generate.per_cell instead."
        )
    blind = [name for name in grid if name not in readable]
    if settings.gate.enabled and blind:
        raise ValueError(
            f"The gate cannot check factor '{blind[0]}'. Expected: a judge that reads every factor "
            f"of the grid, {list(grid)}. Received: a judge of {list(readable)}. Train the bundle "
            "with these in judge.factors, or name fewer in generate.factors."
        )


def _check_memory(
    settings: GenerateConfig, spec: LatentSpec, blocks: Sequence[str], num_values: int
) -> None:
    """Rejects a donor bank that could be larger than `generate.donor_memory`.

    Args:
        settings: Section `generate` of the configuration.
        spec: The blocks of the model's code.
        blocks: Names of the blocks that the bank keeps.
        num_values: Number of values of all factors by which it keeps donors.
    """
    each = BYTES_OF_NUMBER * sum(spec[name].dim for name in blocks)
    most = settings.donor_memory * MEBIBYTE // max(num_values * each, 1)
    if settings.donors_per_class > most:
        needed = settings.donors_per_class * num_values * each / MEBIBYTE
        lower = f"Lower generate.donors_per_class to {most}, or raise" if most else "Raise"
        raise ValueError(
            "The donor bank would exceed its memory. Expected: at most generate.donor_memory="
            f"{settings.donor_memory} MiB. Received: {needed:.0f} MiB for generate.donors_per_class"
            f"={settings.donors_per_class} of {num_values} values, with blocks {list(blocks)}. "
            f"{lower} generate.donor_memory."
        )


def _check_donors(coverage: Coverage, factor: str, same_value: bool) -> None:
    """Rejects a factor to match donors by if an example would have no donor."""
    counts = dict(zip(coverage.names[factor], coverage.marginal(factor).tolist(), strict=True))
    seen = {name: number for name, number in counts.items() if number}
    if not same_value and len(seen) < 2:
        raise ValueError(
            f"Factor '{factor}' has one value, so no donor has another. Expected: "
            f"examples of two values or more. Received: {seen}. Choose another factor."
        )
    if same_value and (lonely := [name for name, number in seen.items() if number == 1]):
        raise ValueError(
            f"Value '{lonely[0]}' of factor '{factor}' has one example, so there is no donor. "
            f"Expected: two or more of every value. Received: {seen}. Import more examples of it."
        )
