"""Observations that stay in their shards: an index of places, read and decoded row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.record_files import RecordFiles

Rows = int | slice | Sequence[int] | np.ndarray


class StoredObservations:
    """Rows of an array that is not in memory: indexing reads and decodes the rows asked for.

    Behaves as an array of shape `(n, *event_shape)` as far as an index of its first axis goes.
    Selecting with `take` reads nothing. NumPy turns it into a whole array where it needs one.

    Args:
        files: The shards.
        places: Place of each row, `(n,)` of `PLACE`; shared by all selections.
        kind: The kind of observation.
        event_shape: Shape of one observation.
        rows: The selected places, `(m,)` integers; all by default.
    """

    def __init__(
        self,
        files: RecordFiles,
        places: np.ndarray,
        kind: Kind,
        event_shape: Sequence[int],
        rows: np.ndarray | None = None,
    ):
        self._files, self._places, self._kind = files, places, kind
        self._event_shape = tuple(event_shape)
        self._rows = np.arange(len(places), dtype=np.int32) if rows is None else rows
        self.dtype = np.dtype(kind.scaling.dtype)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole array."""
        return (len(self), *self._event_shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def take(self, rows: Rows) -> StoredObservations:
        """Selects rows: integer positions, a slice or a boolean mask."""
        return StoredObservations(
            self._files, self._places, self._kind, self._event_shape, self._rows[rows]
        )

    def __getitem__(self, rows: Rows) -> np.ndarray:
        """Reads rows; an index of several axes gives an array of these axes.

        Raises:
            FileNotFoundError: A shard is gone.
            ValueError: A shard has changed since it was indexed, or an observation is damaged.
        """
        selected = self._rows[rows]
        places = self._places[np.ravel(selected)]
        values = [self._files.read(place) for place in places]
        decoded, intact = self._kind.decode(values, self._event_shape)
        if not intact.all():
            place = places[np.argmin(intact)]
            raise ValueError(
                f"Record {place['record']} of '{self._files.paths[place['shard']]}' is unreadable: "
                f"{self._kind.damaged}. Expected: intact records. Run `latentloom verify` for all "
                "of them, and write the data set again."
            )
        return decoded.reshape(*np.shape(selected), *self._event_shape)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype)

    @classmethod
    def joined(cls, parts: Sequence[StoredObservations]) -> StoredObservations:
        """Joins observations of one kind and shape, of one data set or of several."""
        files = list({id(part._files): part._files for part in parts}.values())
        together = files[0]
        if len(files) > 1:
            paths, sizes = (sum((getattr(f, n) for f in files), []) for n in ("paths", "sizes"))
            together = RecordFiles(paths, sizes)
        firsts = np.cumsum([0, *(len(f.paths) for f in files)])
        places = []
        for part in parts:
            moved = part._places[part._rows]
            moved["shard"] += firsts[files.index(part._files)]
            places.append(moved)
        first = parts[0]
        return cls(together, np.concatenate(places), first._kind, first._event_shape)


def concatenate(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Joins observations: stored ones without reading them, others in memory."""
    stored = [part for part in parts if isinstance(part, StoredObservations)]
    if stored and len(stored) == len(parts):
        return cast(np.ndarray, StoredObservations.joined(stored))
    return np.concatenate(parts)
