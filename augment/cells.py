"""Cells of the factor grid: which cells to fill, and with how many variants each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from latentloom.augment.clashes import Clashes, go_together
from latentloom.augment.columns import check_lengths
from latentloom.augment.coverage import Coverage
from latentloom.augment.randomness import derive, identity_keys
from latentloom.augment.spelling import nearest

__all__ = ["CHOICES", "Cells", "Targets", "choose_cells", "count_cells"]

CHOICES = ("unseen", "rare", "balanced")
"""Names of the choices of cells; a choice can also be a list of cells."""

MOST_CELLS = 1_000_000
"""Number of cells of the largest grid that `choose_cells` goes through."""


@dataclass(frozen=True, eq=False)
class Targets:
    """The target cell of each variant, one row per variant.

    Args:
        factors: Target values by factor of the grid, int64 of shape `(V,)` each. The anchor has the
            value of the first factor.
        keys: uint64 of shape `(V,)`: key of the cell.
        steps: int64 of shape `(V,)`: number of the variant within its cell, from 0.
    """

    factors: dict[str, np.ndarray]
    keys: np.ndarray
    steps: np.ndarray

    def __post_init__(self) -> None:
        check_lengths("Targets", len(self.keys), {**self.factors, "steps": self.steps})

    def take(self, rows: np.ndarray) -> Targets:
        """Returns the targets at some rows."""
        factors = {name: values[rows] for name, values in self.factors.items()}
        return Targets(factors, self.keys[rows], self.steps[rows])

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells to fill, and the number of variants of each.

    Args:
        factors: Names of the factors of the grid, `F` of them.
        values: int64 of shape `(K, F)`: a value of each factor.
        numbers: int64 of shape `(K,)`: variants to make, at least 1.
    """

    factors: tuple[str, ...]
    values: np.ndarray
    numbers: np.ndarray

    def targets(self, seed: int) -> Targets:
        """Lays out the variants of all cells, cell after cell.

        Args:
            seed: Integer, the seed of the run.
        """
        keys = np.repeat(identity_keys(seed, "cell", ["/".join(self.factors)]), len(self))
        for column in self.values.T:
            keys = derive(keys, column)
        cell = np.repeat(np.arange(len(self)), self.numbers)
        steps = np.arange(len(cell)) - (np.cumsum(self.numbers) - self.numbers)[cell]
        columns = dict(zip(self.factors, self.values[cell].T, strict=True))
        return Targets(columns, keys[cell], steps)

    def __len__(self) -> int:
        return len(self.values)


def choose_cells(
    coverage: Coverage,
    choice: str | Sequence[Mapping[str, str]],
    per_cell: int,
    clashes: Clashes | None = None,
) -> Cells:
    """Chooses the cells of a grid to fill.

    Rejects named cells with a value that no example has; the choices by count skip such values.

    Args:
        coverage: The examples of each cell; its factors are the grid.
        choice: `"unseen"` for the cells without an example, `"rare"` for those with some but fewer
            than `per_cell`, `"balanced"` for both; each is brought up to `per_cell` examples. Or
            a list of cells, `{factor: value}`, that get `per_cell` variants each.
        per_cell: Integer, at least 1.
        clashes: Values that do not go together. Skips cells with such values; rejects named ones.

    Returns:
        The cells, in the order of the grid.

    Raises:
        ValueError: If a factor has one value, the choice or a named cell is unknown, a named value
            was never seen, the grid is too large, or no cell is left.
    """
    _check_grid(coverage, per_cell)
    factors, clashes = tuple(coverage.names), clashes or {}
    if isinstance(choice, str):
        cells, counts = _cells_by_count(coverage, choice, per_cell)
        fits = go_together(factors, cells, clashes)
        cells, numbers = cells[fits], per_cell - counts[fits]
    else:
        cells = np.unique([_named_cell(coverage, cell) for cell in choice], axis=0)
        cells = cells.astype(np.int64).reshape(-1, len(factors))
        numbers = np.full(len(cells), per_cell)
        _check_together(coverage, cells, clashes)
    if not len(cells):
        raise ValueError(
            f"There is no cell to fill. Expected: at least one of the choice {choice!r} over "
            f"{list(factors)}. Received: {len(coverage.counts)} of {coverage.num_cells} cells "
            f"with an example, per_cell={per_cell}. Choose other cells or factors."
        )
    return Cells(factors, cells, numbers)


def count_cells(coverage: Coverage, clashes: Clashes) -> tuple[int, int]:
    """Counts the cells of a grid whose values go together.

    Args:
        coverage: The examples of each cell.
        clashes: Values that do not go together.

    Returns:
        The number of such cells, and how many of them have no example.
    """
    factors = [name for name in coverage.names if any(name in pair for pair in clashes)]
    sizes = [len(coverage.names[name]) for name in factors]
    cells = np.stack(np.unravel_index(np.arange(prod(sizes)), sizes), axis=1) if sizes else [[]]
    free = np.sum(go_together(factors, np.asarray(cells), clashes))
    total = coverage.num_cells // prod(sizes) * int(free)
    seen = np.array(list(coverage.counts), np.int64).reshape(-1, len(coverage.names))
    return total, total - int(np.sum(go_together(tuple(coverage.names), seen, clashes)))


def _cells_by_count(
    coverage: Coverage, choice: str, per_cell: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cells of a choice, `(K, F)`, and their numbers of examples, `(K,)`."""
    if choice not in CHOICES:
        raise ValueError(
            f"The choice of cells is unknown. Expected: one of {sorted(CHOICES)}, or a list of "
            f"cells. Received: cells={choice!r}. {nearest(choice, CHOICES)}"
        )
    seen = [np.flatnonzero(coverage.marginal(factor)) for factor in coverage.names]
    if (size := prod(map(len, seen))) > MOST_CELLS:
        raise ValueError(
            f"The grid of factors is too large. Expected: at most {MOST_CELLS} cells. Received: "
            f"{size} cells of {list(coverage.names)}. Name fewer factors."
        )
    cells = np.stack(np.meshgrid(*seen, indexing="ij"), axis=-1).reshape(-1, len(seen))
    counts = np.array([coverage.counts.get(tuple(cell), 0) for cell in cells.tolist()], np.int64)
    wanted = counts < per_cell
    if choice != "balanced":
        wanted &= (counts == 0) == (choice == "unseen")
    return cells[wanted], counts[wanted]


def _named_cell(coverage: Coverage, names: Mapping[str, str]) -> list[int]:
    """Returns the value indices of a cell from its value names, one per factor of the grid."""
    if set(names) != set(coverage.names):
        raise ValueError(
            f"A cell does not name a value for each factor. Expected: {sorted(coverage.names)}. "
            f"Received: {dict(names)}. Name these factors and no others."
        )
    return [coverage.seen_value(factor, str(names[factor])) for factor in coverage.names]


def _check_together(coverage: Coverage, cells: np.ndarray, clashes: Clashes) -> None:
    factors = tuple(coverage.names)
    clashing = ~go_together(factors, cells, clashes)
    if clashing.any():
        cell = coverage.name_cell(cells[np.argmax(clashing)])
        raise ValueError(
            "A cell has clashing values. Expected: for two factors in `differ`, "
            f"values with different names. Received: {cell}. Leave the cell out."
        )


def _check_grid(coverage: Coverage, per_cell: int) -> None:
    if per_cell < 1:
        raise ValueError(
            "The number of variants per cell is out of range. Expected: per_cell >= 1. Received: "
            f"per_cell={per_cell}. Raise `per_cell`."
        )
    for factor, values in coverage.names.items():
        if np.count_nonzero(coverage.marginal(factor)) < 2:
            seen = [values[index] for index in np.flatnonzero(coverage.marginal(factor))]
            raise ValueError(
                f"Factor '{factor}' has too few values to recombine. Expected: "
                f"examples of two values or more. Received: values={seen}. Leave the factor out "
                "of the grid, or import examples of another value."
            )
