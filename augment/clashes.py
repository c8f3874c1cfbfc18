"""Values of two factors that do not go together, such as an ink on a background of its colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment.spelling import nearest

__all__ = ["Clashes", "find_clashes", "go_together"]

Clashes = dict[tuple[str, str], np.ndarray]
"""Bool table by pair of factors: True where a value of the first clashes with one of the second."""


def find_clashes(names: Mapping[str, Sequence[str]], differ: Sequence[tuple[str, str]]) -> Clashes:
    """Finds the values of two factors that have the same name, such as an ink and a background.

    Args:
        names: Value names by factor.
        differ: Pairs of factors that must not have values of the same name.

    Returns:
        The tables, in both orders of each pair.

    Raises:
        ValueError: If a factor is unknown, or a pair has no name in common.
    """
    clashes: Clashes = {}
    for pair in differ:
        for factor in pair:
            if factor not in names:
                raise ValueError(
                    f"`differ` names an unknown factor '{factor}'. Expected: one of "
                    f"{sorted(names)}. Received: differ={list(pair)}. {nearest(factor, names)}"
                )
        first, second = (np.array(names[factor], np.str_) for factor in pair)
        table = first[:, None] == second
        if pair[0] == pair[1] or not table.any():
            raise ValueError(
                f"`differ` has an invalid pair '{pair[0]}', '{pair[1]}'. Expected: two "
                f"factors with a value name in common. Received: {list(names[pair[0]])[:5]} and "
                f"{list(names[pair[1]])[:5]}. Leave this pair out."
            )
        clashes |= {(pair[0], pair[1]): table, (pair[1], pair[0]): table.T}
    return clashes


def go_together(factors: Sequence[str], cells: np.ndarray, clashes: Clashes) -> np.ndarray:
    """Checks for each cell whether all its values go together.

    Args:
        factors: Names of the factors, `F` of them.
        cells: Values, integers of shape `(K, F)`.
        clashes: Values that do not go together; tables of other factors are ignored.

    Returns:
        bool of shape `(K,)`.
    """
    fits = np.ones(len(cells), bool)
    for (first, second), table in clashes.items():
        if first in factors and second in factors:
            fits &= ~table[cells[:, factors.index(first)], cells[:, factors.index(second)]]
    return fits
