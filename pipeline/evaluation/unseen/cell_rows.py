"""The rows of the tables of unseen combinations: one cell each, or a group of many cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from latentloom.augment import Coverage, HoldOut

MOST_CELLS = 20
"""A group of more cells has one row for all of them."""
HELD_IN, ALL, SIBLINGS = "held in", "all held out", "seen cells of these classes"


def choose_rows(hold_out: HoldOut) -> dict[str, Coverage]:
    """The cells of every row by its name: a cell, or a group of many cells."""
    rows: dict[str, Coverage] = {}
    for name, group in hold_out.groups.items():
        if len(group.counts) > MOST_CELLS:
            rows[name] = group
            continue
        for cell, number in sorted(group.counts.items()):
            words = [f"{factor} {value}" for factor, value in group.name_cell(cell).items()]
            rows[", ".join(words)] = Coverage(group.names, {cell: number})
    return rows


def share_of_rows(hold_out: HoldOut, columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Share of the examples in the cells of each row, of `ALL` and of `HELD_IN`.

    Args:
        hold_out: The cells that were held out.
        columns: Value indices `(n,)` of every factor of the examples, held-out cells included.
    """
    rows = choose_rows(hold_out)
    shares = {name: np.mean(cells.seen_rows(columns)) for name, cells in rows.items()}
    kept = np.mean(hold_out.keeps(columns))
    shares |= {ALL: 1 - kept, HELD_IN: kept}
    return {name: float(share) for name, share in shares.items()}
