"""Observations that are not in memory: rows of an array, read when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np

from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.record_files import RecordFiles

Index = int | slice | Sequence[int] | np.ndarray


class Rows(Protocol):
    """Where rows come from: an array of which a few rows at a time can be read."""

    dtype: np.dtype
    event_shape: tuple[int, ...]

    def __len__(self) -> int: ...

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows at some positions, `(m,)`, as an array `(m, *event_shape)`."""
        ...


class StoredObservations:
    """Some rows of an array that is not in memory; indexing reads the rows asked for.

    Behaves as an array of shape `(n, *event_shape)` as far as an index of its first axis goes.
    Selecting with `take` reads nothing. NumPy turns it into a whole array where it needs one.

    Args:
        source: Where the rows come from; shared by all selections.
        rows: The selected rows, `(n,)` integers; all by default.
    """

    def __init__(self, source: Rows, rows: np.ndarray | None = None):
        self._source, self.dtype = source, source.dtype
        self._rows = np.arange(len(source), dtype=np.int32) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return (len(self), *self._source.event_shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def take(self, rows: Index) -> StoredObservations:
        """Selects rows: integer positions, a slice or a boolean mask."""
        return StoredObservations(self._source, self._rows[rows])

    def __getitem__(self, rows: Index) -> np.ndarray:
        """Reads rows; an array of positions of several axes gives an array of these axes.

        Raises:
            TypeError: The index is of other axes too.
        """
        if rows is Ellipsis or isinstance(rows, tuple):
            raise TypeError(
                "Observations in shards are read by rows alone. Expected: an integer, a slice, or "
                f"an array of positions or of booleans. Received: rows={rows}. Take the rows "
                "first, and index the array that they give."
            )
        selected = self._rows[rows]
        found = self._source.read(np.ravel(selected))
        return found.reshape(*np.shape(selected), *self._source.event_shape)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype)


class ShardRows:
    """The observations of records in shards.

    Args:
        files: The shards.
        places: Place of each row, `(n,)` of `PLACE`.
        kind: The kind of observation.
        event_shape: Shape of one observation.
    """

    def __init__(
        self, files: RecordFiles, places: np.ndarray, kind: Kind, event_shape: Sequence[int]
    ):
        self._files, self._places, self._kind = files, places, kind
        self.event_shape, self.dtype = tuple(event_shape), np.dtype(kind.scaling.dtype)

    def __len__(self) -> int:
        return len(self._places)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Reads and decodes rows.

        Raises:
            FileNotFoundError: A shard is gone.
            ValueError: A shard has changed since it was indexed, or an observation is damaged.
        """
        places = self._places[rows]
        values = [self._files.read(place) for place in places]
        decoded, intact = self._kind.decode(values, self.event_shape)
        if not intact.all():
            place = places[np.argmin(intact)]
            raise ValueError(
                "An observation is unreadable. Expected: intact records. Received: record "
                f"{place['record']} of '{self._files.paths[place['shard']]}': "
                f"{self._kind.damaged}. Run `latentloom verify` for all of them, and write the "
                "data set again."
            )
        return decoded


class _JoinedRows:
    """Parts behind one another."""

    def __init__(self, parts: Sequence[StoredObservations]):
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])
        self.event_shape, self.dtype = parts[0].shape[1:], parts[0].dtype

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, rows: np.ndarray) -> np.ndarray:
        found = np.empty((len(rows), *self.event_shape), self.dtype)
        of_part = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(of_part).tolist():
            chosen, part = of_part == number, self._parts[number]
            found[chosen] = part[rows[chosen] - (self._ends[number] - len(part))]
        return found


def concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Joins observations: stored ones without reading them, others in memory."""
    stored = [part for part in parts if isinstance(part, StoredObservations)]
    if stored and len(stored) == len(parts):
        return cast(np.ndarray, StoredObservations(_JoinedRows(stored)))
    return np.concatenate(parts)
