"""Cells of every pair of factors: which have no example, and which far fewer than expected."""

from __future__ import annotations

import itertools

import numpy as np

from latentloom.model_zoo.metrics.association import contingency_table
from latentloom.pipeline.auditing.schema import MOST_LISTED, Cell, CellGrid
from latentloom.pipeline.auditing.survey import Survey
from latentloom.pipeline.dataset.examples import Factors

RARE = 0.2
"""A cell is rare below this part of the examples that it had if its factors were independent."""
LEAST_EXPECTED = 5.0
"""Fewest expected examples of a cell that is called rare or whose emptiness is no chance."""


def audit_cells(survey: Survey, factors: Factors) -> list[CellGrid]:
    """Counts the cells of every pair of factors of two values or more, in split `train`."""
    return [_grid(survey, factors, first, second) for first, second in pairs(factors)]


def pairs(factors: Factors) -> list[tuple[str, str]]:
    """Returns every pair of factors of two values or more, those of the label first."""
    return list(itertools.combinations([n for n, v in factors.items() if len(v) > 1], 2))


def cell_counts(survey: Survey, factors: Factors, first: str, second: str) -> np.ndarray:
    """Returns the examples of each cell of two factors in split `train`, `(values, values)`."""
    one, other = (survey.examples.factors[name][survey.train] for name in (first, second))
    return contingency_table(one, other, (len(factors[first]), len(factors[second])))


def expected_counts(counts: np.ndarray) -> np.ndarray:
    """Returns the examples of each cell if both factors were independent."""
    return np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(int(counts.sum()), 1)


def _grid(survey: Survey, factors: Factors, first: str, second: str) -> CellGrid:
    counts = cell_counts(survey, factors, first, second)
    expected = expected_counts(counts)
    empty = (counts == 0) & (expected > 0)
    rare = (counts > 0) & (counts < RARE * expected) & (expected >= LEAST_EXPECTED)

    def listed(mask: np.ndarray) -> list[Cell]:
        cells = np.argwhere(mask)
        order = np.argsort(-expected[mask], kind="stable")[:MOST_LISTED]
        return [
            Cell(
                values={
                    first: factors[first][int(row)],
                    second: factors[second][int(column)],
                },
                count=int(counts[row, column]),
                expected=float(expected[row, column]),
            )
            for row, column in cells[order]
        ]

    return CellGrid(
        factors=(first, second),
        cells=int(np.sum(expected > 0)),
        num_empty=int(empty.sum()),
        num_rare=int(rare.sum()),
        empty=listed(empty),
        rare=listed(rare),
    )
