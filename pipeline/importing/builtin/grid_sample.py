"""A keyed sample of the cells of a factor grid."""

from __future__ import annotations

import numpy as np

from latentloom.augment.randomness import derive, identity_keys

DEFAULT_EXAMPLES = 20_000
_TEST_SHARE = 10  # one in ten


def sample_cells(
    name: str, cells: np.ndarray, grid: tuple[int, ...], size: int, repeats: int = 1
) -> dict[str, np.ndarray]:
    """Samples cells by key; takes one "train" cell of every value of each factor first.

    A smaller sample is part of a larger one, and a cell is in the same split of both.

    Args:
        name: Name of the source, which keys the sample.
        cells: int64 array of shape `(n,)`: numbers in the whole grid of the cells to draw from.
        grid: Number of values of each factor.
        size: Cells to sample, both splits together; all of them if there are fewer.
        repeats: Examples of every cell; a number is then that of the cell times `repeats`, plus
            that of the example in its cell.

    Returns:
        The cells of "train" and of "test", ascending; no key "test" if it is empty.

    Raises:
        ValueError: If the sample is too small to hold every value.
    """
    order_key, split_key = identity_keys(0, name, ["order", "split"])
    cells = cells[np.argsort(derive(np.full(len(cells), order_key), cells), kind="stable")]
    in_test = derive(np.full(len(cells), split_key), cells) % np.uint64(_TEST_SHARE) == 0
    train = np.flatnonzero(~in_test)
    firsts = [
        train[np.unique(codes[train], return_index=True)[1]]
        for codes in np.unravel_index(cells // repeats, grid)
    ]
    needed = np.unique(np.concatenate(firsts))
    if size < len(needed):
        raise ValueError(
            f"The sample of source '{name}' is too small to hold every value of every factor. "
            f"Expected: at least {len(needed)}. Received: max_examples={size}. Raise it."
        )
    others = np.ones(len(cells), bool)
    others[needed] = False
    rows = np.concatenate([needed, np.flatnonzero(others)[: size - len(needed)]])
    train_cells, test_cells = (np.sort(cells[rows[in_test[rows] == side]]) for side in (0, 1))
    return {"train": train_cells} | ({"test": test_cells} if len(test_cells) else {})
