"""Allotment: gives each variant of each cell an anchor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latentloom.augment.anchors import Anchors
from latentloom.augment.cells import Cells, Clashes, Targets
from latentloom.augment.donors import DonorBank
from latentloom.augment.matching import match_values

__all__ = ["allot_cells", "anchors_among"]


def allot_cells(
    cells: Cells, donors: DonorBank, *, seed: int, clashes: Clashes | None = None
) -> tuple[np.ndarray, Targets]:
    """Gives every variant of every cell an anchor that has the cell's value of the first factor.

    The variants of a cell walk through the pool of that value, so they have different anchors as
    long as the pool lasts. The result depends on cells, seed and bank alone, not on the order of
    the examples in shards.

    Args:
        cells: The cells to fill, with `V` variants in total.
        donors: The bank.
        seed: Integer, the seed of the run.
        clashes: Values that do not go together. Skips anchors that keep such a value.

    Returns:
        int64 of shape `(V,)`, rows of the bank, and the target of each variant.

    Raises:
        ValueError: If the bank has no anchor for a cell.
    """
    targets = cells.targets(seed)
    kept = {
        (mine, other): table
        for (mine, other), table in (clashes or {}).items()
        if mine in cells.factors and other not in cells.factors
    }

    def goes_with(rows: np.ndarray, pool: np.ndarray) -> np.ndarray:
        fits = np.ones((len(rows), len(pool)), bool)
        for (mine, other), table in kept.items():
            fits &= ~table[targets.factors[mine][rows]][:, donors.factors[other][pool]]
        return fits

    first = cells.factors[0]
    rows = match_values(
        donors,
        first,
        targets.factors[first],
        targets.keys,
        targets.steps,
        attempt=0,
        allowed=goes_with if kept else None,
    )
    return rows, targets


def anchors_among(
    ids: Sequence[str],
    factors: Mapping[str, np.ndarray],
    donors: DonorBank,
    rows: np.ndarray,
    targets: Targets,
) -> Anchors:
    """Picks the anchors that are among some examples, with their variants.

    Numbers the variants of an anchor in the order of the cells, so the numbers do not depend on the
    other examples.

    Args:
        ids: Identities of the `n` examples.
        factors: Value indices by factor, each of shape `(n,)`.
        donors: The bank.
        rows: int64 of shape `(V,)`: the anchor of each variant, a row of the bank.
        targets: The target of each variant.

    Returns:
        The examples as anchors; examples that `rows` does not name get 0 variants.
    """
    in_bank = donors.rows_of(ids)
    example = np.full(len(donors), -1, np.int64)
    example[in_bank[in_bank >= 0]] = np.flatnonzero(in_bank >= 0)
    anchor = example[rows]
    here = np.flatnonzero(anchor >= 0)
    here = here[np.argsort(anchor[here], kind="stable")]
    variants = np.bincount(anchor[here], minlength=len(ids))
    return Anchors(ids, dict(factors), variants, targets.take(here))
