"""Cells of the grid of factors before and after generation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.augment import Coverage, count_cells, find_clashes
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.report.charts.factor_grid import factor_grid
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import Picture

GRID = (
    "Examples of each combination of two factors, before and after; a cross marks a combination "
    "without examples."
)


def report_cells(
    before: Coverage, after: Coverage, differ: Sequence[tuple[str, str]]
) -> SectionResult:
    """Counts the cells without an example; draws the cells of two factors if there are two."""
    pictures = {"cells": grid_of(before, after)} if len(before.names) > 1 else {}
    return SectionResult(measure_cells(before, after, differ), pictures)


def measure_cells(
    before: Coverage, after: Coverage, differ: Sequence[tuple[str, str]]
) -> list[Measure]:
    """Counts the possible cells of the grid that have no example.

    Args:
        before: The cells of the input data.
        after: The cells with the variants added.
        differ: Pairs of factors whose values must not have the same name.
    """
    within = [pair for pair in differ if set(pair) <= set(before.names)]
    clashes = find_clashes(before.names, within)
    counts = {"before": count_cells(before, clashes), "after": count_cells(after, clashes)}
    return [
        Measure(
            name=f"Cells without an example, {when}",
            key=f"cells/empty/{when}",
            value=without,
            unit=f"of {total}",
            better="lower",
            meaning=f"Possible combinations of {', '.join(before.names)} without an example.",
        )
        for when, (total, without) in counts.items()
    ]


def grid_of(before: Coverage, after: Coverage) -> Picture:
    """A heat map of the first factor and the factor with which it has the most empty cells."""
    first, *others = before.names

    def missing(name: str) -> int:
        pair = before.over([first, name])
        return pair.num_cells - len(pair.counts)

    second = max(others, key=missing)
    grid = factor_grid(
        (first, before.names[first]),
        (second, before.names[second]),
        *(_counts(coverage.over([first, second])) for coverage in (before, after)),
    )
    return Picture(grid, GRID)


def _counts(coverage: Coverage) -> np.ndarray:
    """Examples of each cell of two factors, `(R, C)`."""
    counts = np.zeros([len(values) for values in coverage.names.values()], np.int64)
    cells = np.array(list(coverage.counts), np.int64).reshape(-1, 2)
    counts[cells[:, 0], cells[:, 1]] = list(coverage.counts.values())
    return counts
