"""Runs a function that is compiled for one batch size over columns of any length."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from latentloom.pipeline.codec.compilation import Columns, Signature, compiled

BATCH_SIZE = 64
"""Rows per call; the last batch is padded. Larger batches gained few images per CPU-second."""
BATCH_BYTES = 1 << 28
"""Most bytes of the observations of a call in float32; activations take several times as many."""


def rows_at_once(observation_shape: Sequence[int]) -> int:
    """Returns the rows per call for an event shape: `BATCH_SIZE`, or fewer of large observations.

    Depends on the shape alone, so that results do not depend on the machine.
    """
    row_bytes = 4 * math.prod(observation_shape)
    return max(1, min(BATCH_SIZE, BATCH_BYTES // max(row_bytes, 1)))


class Batched:
    """A compiled function of columns that calls networks, batch by batch.

    Results for a row do not depend on the rows beside it: every call runs on `batch_size` rows.

    Args:
        function: From columns of tensors to columns of tensors, in `keras.ops`.
        networks: The networks that it calls.
        rows: Shape and type of a row of every column.
        batch_size: Rows per call.
        seeded: Whether the function also takes a column `seed`, int32 of shape `(2,)`.
    """

    def __init__(
        self,
        function: Callable[[Columns], Columns],
        networks: Sequence[keras.Model],
        rows: Signature,
        *,
        batch_size: int = BATCH_SIZE,
        seeded: bool = False,
    ):
        self.batch_size, self.seeded = batch_size, seeded
        signature = {name: ((batch_size, *shape), dtype) for name, (shape, dtype) in rows.items()}
        self._run = compiled(
            function, networks, signature | ({"seed": ((2,), "int32")} if seeded else {})
        )

    def __call__(self, columns: Mapping[str, np.ndarray], seed: int = 0) -> dict[str, np.ndarray]:
        """Runs the function.

        Args:
            columns: Columns of `n` rows each, 0 or more.
            seed: Seed of the call; every batch gets its own random numbers. Unused unless the
                function is seeded.

        Returns:
            The columns of the result, `n` rows each.
        """
        num_rows = len(next(iter(columns.values())))
        results = []
        for number, start in enumerate(range(0, max(num_rows, 1), self.batch_size)):
            rows = slice(start, start + self.batch_size)
            batch = {name: self._padded(column[rows]) for name, column in columns.items()}
            if self.seeded:
                batch["seed"] = np.array([seed % 2**31, number], np.int32)
            results.append(self._run(batch))
        return {
            name: np.concatenate([result[name] for result in results])[:num_rows]
            for name in results[0]
        }

    def _padded(self, rows: np.ndarray) -> np.ndarray:
        """Pads the rows with zeros to a full batch."""
        missing = self.batch_size - len(rows)
        return np.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1)) if missing else rows
