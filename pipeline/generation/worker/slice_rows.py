"""The observations of a slice, read again from its shard when they are needed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import parse_row
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records


class SliceRows:
    """Reads the observations of some records of a shard, local or in a bucket.

    Goes through the shard in order, and starts anew only for a record that it has passed.

    Args:
        dataset: The data set directory.
        split: Name of the split.
        index: Number of the shard, from 0.
        records: Numbers of the records, `(n,)`, increasing; each was readable before.
    """

    def __init__(self, dataset: DatasetDir, split: str, index: int, records: np.ndarray):
        self._manifest, self._kind = dataset.manifest, dataset.observation_kind
        self._path, self._records = dataset.shard_path(split, index), records
        self.event_shape = dataset.manifest.observation_shape
        self.dtype = np.dtype(self._kind.scaling.dtype)
        self._stream: Iterator[bytes | BadRecord] = iter(())
        self._next = math.inf

    def __len__(self) -> int:
        return len(self._records)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Reads and decodes rows.

        Raises:
            FileNotFoundError: The shard is gone.
            ValueError: A record is no longer readable.
        """
        records, places = np.unique(self._records[rows], return_inverse=True)
        values = [self._value(record) for record in records.tolist()]
        found, intact = self._kind.decode(values, self.event_shape)
        if not intact.all():
            raise self._changed(int(records[np.argmin(intact)]), self._kind.damaged)
        return found[places]

    def _value(self, record: int) -> bytes | np.ndarray:
        """Reads the encoded observation of a record."""
        if record < self._next:
            self._stream, self._next = read_records(self._path, start=record), record
        data = next(itertools.islice(self._stream, int(record - self._next), None), None)
        self._next = record + 1
        if data is None:
            raise self._changed(record, "the file ends before it")
        row = parse_row(record, data, self._manifest.factors, self._kind, self.event_shape)
        if isinstance(row, str):
            raise self._changed(record, row)
        return row.value

    def _changed(self, record: int, reason: str) -> ValueError:
        return ValueError(
            f"The shard '{self._path}' changed while it was read. Expected: the file that its "
            f"manifest lists. Received: record {record}: {reason}. Put the file back and run the "
            "same command again."
        )
