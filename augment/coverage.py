"""Coverage: how many examples each combination of factor values has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from latentloom.augment.columns import as_integers, check_lengths
from latentloom.augment.spelling import nearest

__all__ = ["Coverage"]


@dataclass(frozen=True)
class Coverage:
    """Counts per cell of the factor grid; cells without examples are not stored.

    A cell is one value index per factor, in the order of `names`.

    Args:
        names: Per factor the names of its values.
        counts: Examples by cell, at least 1 each. Defaults to none.

    Example:
        >>> grid = Coverage({"label": ("a", "b"), "font": ("serif", "sans")})
        >>> grid = grid.count({"label": np.array([0, 0]), "font": np.array([1, 1])})
        >>> grid.counts, grid.seen((1, 0))
        ({(0, 1): 2}, False)
    """

    names: dict[str, tuple[str, ...]]
    counts: dict[tuple[int, ...], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = {factor: tuple(values) for factor, values in self.names.items()}
        object.__setattr__(self, "names", names)
        if not names:
            raise ValueError(
                "Coverage needs a grid. Expected: one factor or more. Received: names={}. Name the "
                "factors to count over."
            )
        for cell, number in self.counts.items():
            self._check_cell(cell)
            if number < 1:
                raise ValueError(
                    f"Coverage has a cell without examples. Expected: counts >= 1. Received: "
                    f"counts[{cell}]={number}. Leave the cell out."
                )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Coverage:
        """Reads the output of `to_dict`."""
        names = dict(document["names"])
        counts = {tuple(cell[f] for f in names): number for cell, number in document["counts"]}
        return cls(names, counts)

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form; counts are `[{factor: index}, number]`, sorted by cell."""
        names = {factor: list(values) for factor, values in self.names.items()}
        cells = sorted(self.counts.items())
        counts = [[dict(zip(names, cell, strict=True)), number] for cell, number in cells]
        return {"names": names, "counts": counts}

    @property
    def num_cells(self) -> int:
        """Size of the grid: seen and unseen cells."""
        return prod(len(values) for values in self.names.values())

    def count(self, factors: Mapping[str, np.ndarray]) -> Coverage:
        """Returns the coverage with more examples counted.

        Args:
            factors: Value indices by factor, each of shape `(n,)`; factors that are not in the
                grid are ignored.

        Returns:
            A new coverage.

        Raises:
            ValueError: If a factor is missing or a value is out of range.
        """
        cells, _, numbers = self._distinct(factors)
        return self.merge(Coverage(self.names, dict(zip(cells, numbers, strict=True))))

    def merge(self, *others: Coverage) -> Coverage:
        """Adds up coverages of the same grid.

        Args:
            *others: Coverages, in any order.

        Returns:
            A new coverage.

        Raises:
            ValueError: If a grid differs.
        """
        total = Counter(self.counts)
        for other in others:
            if list(other.names.items()) != list(self.names.items()):
                raise ValueError(
                    f"Cannot merge coverages of different grids. Expected: names={self.names}. "
                    f"Received: names={other.names}. Count both over the same factors."
                )
            total.update(other.counts)
        return Coverage(self.names, dict(total))

    def seen(self, cell: Sequence[int]) -> bool:
        """Returns whether the cell has an example.

        Args:
            cell: One value index per factor, in the order of `names`.

        Returns:
            True if it has.
        """
        cell = tuple(int(index) for index in cell)
        self._check_cell(cell)
        return cell in self.counts

    def seen_rows(self, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns for each row whether its cell has an example.

        Args:
            factors: Value indices by factor, each of shape `(n,)`.

        Returns:
            bool of shape `(n,)`.
        """
        cells, inverse, _ = self._distinct(factors)
        return np.array([cell in self.counts for cell in cells], bool)[inverse]

    def over(self, factors: Sequence[str]) -> Coverage:
        """Returns the coverage of a smaller grid.

        Args:
            factors: Names of the factors to keep; they keep their order.

        Returns:
            A new coverage, of the same examples.

        Raises:
            ValueError: If a factor is not in the grid.
        """
        for factor in factors:
            self._check_factor(factor, self.names)
        axes = [axis for axis, factor in enumerate(self.names) if factor in factors]
        counts: Counter[tuple[int, ...]] = Counter()
        for cell, number in self.counts.items():
            counts[tuple(cell[axis] for axis in axes)] += number
        kept = {factor: values for factor, values in self.names.items() if factor in factors}
        return Coverage(kept, dict(counts))

    def seen_value(self, factor: str, name: str) -> int:
        """Returns the index of a value that has an example.

        Args:
            factor: Name of the factor.
            name: Name of the value.

        Raises:
            ValueError: If there is no such factor or value, or no example has the value.
        """
        self._check_factor(factor, self.names)
        values = self.names[factor]
        if name not in values or not self.marginal(factor)[values.index(name)]:
            seen = [values[index] for index in np.flatnonzero(self.marginal(factor))]
            raise ValueError(
                f"Value '{name}' of factor '{factor}' was never seen. Expected: one of {seen}. "
                f"Received: {factor}={name!r}. {nearest(name, seen)}"
            )
        return values.index(name)

    def name_cell(self, cell: Sequence[int]) -> dict[str, str]:
        """Returns the names of a cell's values by factor."""
        cell = tuple(int(index) for index in cell)
        self._check_cell(cell)
        return {
            f: values[index] for (f, values), index in zip(self.names.items(), cell, strict=True)
        }

    def marginal(self, factor: str) -> np.ndarray:
        """Returns the examples per value of one factor, int64 of shape `(num_values,)`."""
        self._check_factor(factor, self.names)
        axis = list(self.names).index(factor)
        values = np.array([cell[axis] for cell in self.counts], np.int64)
        totals = np.zeros(len(self.names[factor]), np.int64)
        np.add.at(totals, values, np.array(list(self.counts.values()), np.int64))
        return totals

    def _distinct(
        self, factors: Mapping[str, np.ndarray]
    ) -> tuple[list[tuple[int, ...]], np.ndarray, list[int]]:
        for factor in self.names:
            self._check_factor(factor, factors)
        columns = {name: as_integers("Coverage", name, factors[name]) for name in self.names}
        check_lengths("Coverage", len(columns[next(iter(columns))]), columns)
        rows = np.stack(list(columns.values()), axis=-1)
        cells, inverse, numbers = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        distinct = [tuple(cell) for cell in cells.tolist()]
        for cell in distinct:
            self._check_cell(cell)
        return distinct, inverse.reshape(-1), numbers.tolist()

    def _check_factor(self, factor: str, known: Mapping[str, Any]) -> None:
        if factor not in known:
            raise ValueError(
                f"Factor '{factor}' is missing. Expected: one of {sorted(known)}. Received: "
                f"factor={factor!r}. {nearest(factor, known)}"
            )

    def _check_cell(self, cell: tuple[int, ...]) -> None:
        sizes = tuple(len(values) for values in self.names.values())
        inside = len(cell) == len(sizes) and all(
            0 <= index < size for index, size in zip(cell, sizes, strict=True)
        )
        if not inside:
            raise ValueError(
                f"A cell lies outside the factor grid. Expected: indices below {sizes}, for "
                f"factors {list(self.names)}. Received: cell={cell}. Pass an index per factor."
            )
