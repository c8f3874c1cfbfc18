"""What a generation job does with factors: which it writes, counts, fills and keeps donors by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latentloom.augment import (
    Coverage,
    LatentSpec,
    choose_cells,
    find_clashes,
    find_recipe,
    known_factors,
)
from latentloom.augment.spelling import nearest
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.examples import Factors
from latentloom.pipeline.generation.job import FactorPlan


def plan_factors(
    settings: GenerateConfig,
    factors: Factors,
    spec: LatentSpec,
    readable: Sequence[str],
    count: Callable[[Sequence[str]], Coverage],
) -> FactorPlan:
    """Decides what a job does with factors, and refuses what cannot be done.

    Args:
        settings: Section `generate` of the configuration.
        factors: Value names of the factors of the data.
        spec: The blocks of the model's code.
        readable: Factors that the judge reads.
        count: Counts the examples over factors; called only if their number matters.

    Raises:
        ValueError: Recipe, model, data and settings do not fit together.
    """
    recipe, options = find_recipe(settings.recipe), settings.options
    carried = spec.carried(factors)
    grid = _grid(settings, carried)
    written = known_factors(
        recipe.name, spec, list(factors), options, grid if recipe.fills_cells else ()
    )
    grid = tuple(name for name in grid if name in written)
    judged = tuple(name for name in written if name in readable)
    if recipe.fills_cells:
        _check_fillable(settings, grid, readable)
    names = {name: factors[name] for name in carried}
    clashes = find_clashes(names, settings.differ)
    plan = FactorPlan(written=written, judged=judged, banked=carried, clashes=clashes)
    matched = recipe.matched_by(options)
    if not recipe.needs_donors or (len(written) == 1 and matched and matched[0] == "label"):
        return plan
    counted = count(carried)
    if matched and matched[0] != "label":
        _check_donors(counted, *matched)
    coverage = counted.over(grid)
    cells = None
    if recipe.fills_cells:
        cells = choose_cells(coverage, settings.cells, settings.per_cell, clashes)
    return FactorPlan(written, judged, carried, coverage, cells, clashes)


def _grid(settings: GenerateConfig, carried: Sequence[str]) -> tuple[str, ...]:
    """The factors of the configuration in the order of the data; by default all carried."""
    for name in settings.factors or ():
        if name not in carried:
            raise ValueError(
                f"Factor '{name}' cannot be recombined. Expected: factors of the data that a "
                f"block of the code carries, {sorted(carried)}. Received: generate.factors="
                f"{settings.factors}. {nearest(name, carried)}"
            )
    return tuple(name for name in carried if name in (settings.factors or carried))


def _check_fillable(settings: GenerateConfig, grid: Sequence[str], readable: Sequence[str]) -> None:
    """Refuses a grid that is no grid, quotas by class beside cells, or a judge that is blind."""
    if len(grid) < 2:
        raise ValueError(
            f"The recipe '{settings.recipe}' combines factors, but there is one. Expected: two or "
            f"more that blocks of the code carry. Received: factors={list(grid)}. Name more in "
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


def _check_donors(coverage: Coverage, factor: str, same_value: bool) -> None:
    """Refuses to match donors by a factor where an example has none."""
    counts = dict(zip(coverage.names[factor], coverage.marginal(factor).tolist(), strict=True))
    seen = {name: number for name, number in counts.items() if number}
    if not same_value and len(seen) < 2:
        raise ValueError(
            f"Factor '{factor}' has one value, so that there is no other to take. Expected: "
            f"examples of two values or more. Received: {seen}. Choose another factor."
        )
    if same_value and (lonely := [name for name, number in seen.items() if number == 1]):
        raise ValueError(
            f"Value '{lonely[0]}' of factor '{factor}' has one example, so that there is no donor. "
            f"Expected: two or more of every value. Received: {seen}. Import more examples of it."
        )
