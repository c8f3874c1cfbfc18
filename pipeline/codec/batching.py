"""Runs a compiled function over columns of any length, in calls of a few hundred rows.

Rows are bit-equal whatever the size of their call, from `UNIT` rows up, in all networks of the zoo
(see `tests/pipeline/codec/test_bit_equality.py`). Smaller calls round differently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from latentloom.pipeline.codec.compilation import Columns, Signature, compiled, takes_any_rows

BATCH_SIZE = 64
"""Rows per call where every call has as many: random numbers depend on it, and JAX compiles anew
for every other number."""
MOST_ROWS = 256
"""Most rows per call elsewhere. Larger calls gained nothing."""
UNIT = 16
"""Rows that a smaller call is padded to a multiple of."""
BATCH_BYTES = 1 << 28
"""Most bytes of the observations of a call in float32; activations take several times as many."""
MANY_ROWS_BYTES = 1 << 22
"""Most such bytes of a call of more than `BATCH_SIZE` rows: larger ones leave the caches."""


def rows_at_once(observation_shape: Sequence[int]) -> int:
    """Returns the rows per call for an event shape: `BATCH_SIZE`, or fewer of large observations.

    Depends on the shape alone, so that results do not depend on the machine.
    """
    row_bytes = max(4 * math.prod(observation_shape), 1)
    return max(1, min(BATCH_SIZE, BATCH_BYTES // row_bytes))


def most_rows_at_once(observation_shape: Sequence[int]) -> int:
    """Returns the largest number of rows per call for an event shape, where calls may differ."""
    row_bytes = max(4 * math.prod(observation_shape), 1)
    many = min(MOST_ROWS, MANY_ROWS_BYTES // row_bytes) // UNIT * UNIT
    return max(rows_at_once(observation_shape), many)


class Gathered:
    """A column whose rows are rows of a table, gathered batch by batch and never held whole.

    Args:
        table: The table, `(n, ...)`.
        rows: Row of the table for each row of the column, `(num_rows,)`.
    """

    def __init__(self, table: np.ndarray, rows: np.ndarray):
        self._table, self._rows = table, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._table[self._rows[rows]]


class Batched:
    """A compiled function of columns that calls networks, batch by batch.

    Results for a row do not depend on the rows beside it.

    Args:
        function: From columns of tensors to columns of tensors, in `keras.ops`.
        networks: The networks that it calls.
        rows: Shape and type of a row of every column.
        observation_shape: Event shape of the observations that the networks read or make.
        seeded: Whether the function also takes a column `seed`, int32 of shape `(2,)`. Then all
            calls have equal numbers of rows.
    """

    def __init__(
        self,
        function: Callable[[Columns], Columns],
        networks: Sequence[keras.Model],
        rows: Signature,
        observation_shape: Sequence[int],
        *,
        seeded: bool = False,
    ):
        self.seeded, varies = seeded, takes_any_rows() and not seeded
        size = most_rows_at_once if varies else rows_at_once
        self.batch_size = size(observation_shape)
        self.unit = min(UNIT, self.batch_size) if varies else self.batch_size
        signature = {
            name: ((None if varies else self.batch_size, *shape), dtype)
            for name, (shape, dtype) in rows.items()
        }
        self._run = compiled(
            function, networks, signature | ({"seed": ((2,), "int32")} if seeded else {})
        )

    def __call__(
        self, columns: Mapping[str, np.ndarray | Gathered], seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Runs the function.

        Args:
            columns: Columns of `n` rows each, 0 or more.
            seed: Seed of the call; every batch gets its own random numbers. Unused unless the
                function is seeded.

        Returns:
            The columns of the result, `n` rows each.
        """
        num_rows = len(next(iter(columns.values())))
        results: dict[str, np.ndarray] = {}
        for number, start in enumerate(range(0, max(num_rows, 1), self.batch_size)):
            rows = slice(start, min(start + self.batch_size, num_rows))
            batch = {name: self._padded(column[rows]) for name, column in columns.items()}
            if self.seeded:
                batch["seed"] = np.array([seed % 2**31, number], np.int32)
            for name, made in self._run(batch).items():
                if not number:
                    results[name] = np.empty((num_rows, *made.shape[1:]), made.dtype)
                results[name][rows] = made[: rows.stop - start]
        return results

    def _padded(self, rows: np.ndarray) -> np.ndarray:
        """Pads the rows with zeros to a multiple of the unit, at least one."""
        missing = max(-len(rows) % self.unit, self.unit - len(rows))
        return np.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1)) if missing else rows
