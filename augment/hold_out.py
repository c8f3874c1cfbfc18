"""Cells held out of training, to measure unseen combinations of factor values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latentloom.augment.coverage import Coverage
from latentloom.augment.randomness import identity_keys, uniforms

__all__ = ["HoldOut", "draw_cells", "name_cells"]


@dataclass(frozen=True, eq=False)
class HoldOut:
    """Groups of cells that are held out of training; each group is reported separately.

    Args:
        groups: Cells with their numbers of examples, by name of the group. An example belongs to
            the first group that has its cell.
    """

    groups: Mapping[str, Coverage] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> HoldOut:
        """Reads the output of `to_dict`."""
        return cls({name: Coverage.from_dict(group) for name, group in document.items()})

    def to_dict(self) -> dict[str, Any]:
        """Returns the JSON form."""
        return {name: group.to_dict() for name, group in self.groups.items()}

    def group_of(self, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Finds the group of each example.

        Args:
            factors: Value indices by factor, each of shape `(n,)`.

        Returns:
            int64 of shape `(n,)`: position of the group, or -1 for training examples.
        """
        found = np.full(len(next(iter(factors.values()))), -1, np.int64)
        for position, group in reversed(list(enumerate(self.groups.values()))):
            found[group.seen_rows(factors)] = position
        return found

    def keeps(self, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns whether each example is trained on, bool of shape `(n,)`."""
        return self.group_of(factors) < 0

    def adding(self, name: str, group: Coverage) -> HoldOut:
        """Returns a copy with one more group, after the others."""
        return HoldOut({**self.groups, name: group})

    def __bool__(self) -> bool:
        return bool(self.groups)


def draw_cells(coverage: Coverage, share: float, seed: int) -> Coverage:
    """Draws cells to hold out; every value keeps a cell with an example.

    Args:
        coverage: The examples of each cell.
        share: Share of the cells with an example, in `(0, 1)`. Draws at least one cell, and fewer
            than the share where a value would lose its last cell.
        seed: Integer; the draw is a function of it and of the names of the values.

    Returns:
        The cells that were drawn, with their examples.

    Raises:
        ValueError: If every cell is the last one of some value.
    """
    cells = sorted(coverage.counts)
    names = ["/".join(coverage.name_cell(cell).values()) for cell in cells]
    draws = uniforms(identity_keys(seed, "hold out", names), 1)[:, 0]
    left = [Counter(column) for column in zip(*cells, strict=True)]
    most, drawn = max(1, round(share * len(cells))), []
    for place in np.argsort(draws, kind="stable").tolist():
        values = list(zip(left, cells[place], strict=True))
        if all(counts[value] > 1 for counts, value in values):
            drawn.append(cells[place])
            for counts, value in values:
                counts[value] -= 1
        if len(drawn) == most:
            break
    if not drawn:
        raise ValueError(
            f"No cell of {list(coverage.names)} can be held out. Expected: a cell whose values "
            f"all occur in other cells. Received: {len(cells)} cells with examples. Name "
            "fewer factors, or import more examples."
        )
    return Coverage(coverage.names, {cell: coverage.counts[cell] for cell in drawn})


def name_cells(coverage: Coverage, cells: Sequence[Mapping[str, str]]) -> Coverage:
    """Finds named cells to hold out.

    Args:
        coverage: The examples of each cell.
        cells: A value for each factor of the coverage.

    Returns:
        These cells, with their examples.

    Raises:
        ValueError: If a value was never seen, or a cell has no example.
    """
    indices = []
    for cell in cells:
        index = tuple(coverage.seen_value(name, str(cell[name])) for name in coverage.names)
        if not coverage.seen(index):
            raise ValueError(
                f"The cell {dict(cell)} has no example to hold out. Expected: 1 example or more. "
                "Received: 0 examples. Leave it out: it is unseen already."
            )
        indices.append(index)
    return Coverage(coverage.names, {index: coverage.counts[index] for index in indices})
