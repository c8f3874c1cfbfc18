"""Draws of examples by the value of a factor, from uniform numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rows_by_value(column: np.ndarray) -> dict[int, np.ndarray]:
    """Rows of the examples of each value that occurs."""
    order, values = np.argsort(column, kind="stable"), np.unique(column)
    starts = np.searchsorted(column[order], values[1:])
    return dict(zip(values.tolist(), np.split(order, starts), strict=True))


def member_at(members: Sequence[int] | np.ndarray, uniform: float) -> int:
    """Returns the member that a number in `[0, 1)` falls on."""
    return int(members[int(uniform * len(members))])
