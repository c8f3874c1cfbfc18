"""Records of a split by their places: a sequence with a length, single records and slices."""

from __future__ import annotations

import hashlib
import operator
import os
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.reader.records import ParsedExample, Record, RecordReader, decoded
from latentloom.pipeline.storage.files import is_remote
from latentloom.pipeline.storage.output_directories import check_apart
from latentloom.pipeline.storage.record_files import RecordFiles
from latentloom.pipeline.storage.record_offsets import find_offsets, read_offsets, write_offsets
from latentloom.pipeline.storage.tfrecords import MOST_BYTES, BadRecord, unframe

BLOCK = 64
"""Largest number of observations decoded at a time."""
Rows = slice | Sequence[int] | np.ndarray


def block_size(dataset: DatasetDir) -> int:
    """Returns how many observations of a data set to decode at a time."""
    return dataset.observation_kind.batch_size(dataset.manifest.observation_shape, BLOCK)


class RecordPlaces:
    """Reads records of a split by their places in it, from 0, in the order of the shards.

    Finds where they begin when the first one is read: by one scan of the lengths, or in the file
    `index`, which is written if it is missing. Holds 8 bytes a record. A pickled copy opens the
    shards anew.

    Args:
        dataset: The data set directory, local.
        split: Name of the split.
        index: Path of the file that keeps the result of the scan; None to keep it in memory alone.

    Raises:
        ValueError: If the data set is remote, the split is unknown, or `index` lies in the data
            set.
    """

    def __init__(self, dataset: DatasetDir, split: str, index: str | None = None):
        if is_remote(dataset.path):
            raise ValueError(
                f"The records of '{dataset.path}' cannot be read by place. Expected: a local data "
                "set. Received: a remote path. Copy the directory, or read the records in order."
            )
        if index is not None:
            check_apart(index, {"path": dataset.path})
        self.dataset, self.split, self._index = dataset, split, index
        self._shards = dataset.shards(split)
        self._paths = [dataset.shard_path(split, n) for n in range(len(self._shards))]
        self._starts = np.cumsum([0, *(shard.records for shard in self._shards)])
        self._offsets: list[np.ndarray] | None = None
        self._files: RecordFiles | None = None
        self._reader = RecordReader(dataset)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_files": None, "_reader": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _reader=RecordReader(state["dataset"]))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, places: Sequence[int] | np.ndarray) -> Iterator[Record]:
        """Yields the records at some places, in their order; decodes a block at a time.

        Raises:
            ValueError: If a record is damaged.
        """
        size = block_size(self.dataset)
        for start in range(0, len(places), size):
            found = [self._parsed(int(place)) for place in places[start : start + size]]
            yield from decoded(self.dataset, found)

    def _parsed(self, place: int) -> ParsedExample:
        shard = int(np.searchsorted(self._starts, place, side="right")) - 1
        number = place - int(self._starts[shard])
        start, end = self._find_offsets()[shard][number : number + 2].tolist()
        data: bytes | str = f"it has {end - start} bytes, more than {MOST_BYTES}"
        if end - start <= MOST_BYTES:
            data = unframe(self._open().frame(shard, start, end - start))
        record = BadRecord(number, data) if isinstance(data, str) else data
        found = self._reader.parse(self._shards[shard].file, number, record)
        if isinstance(found, ValueError):
            raise found
        return found

    def _open(self) -> RecordFiles:
        if self._files is None:
            self._files = RecordFiles(self._paths, [shard.num_bytes for shard in self._shards])
        return self._files

    def _find_offsets(self) -> list[np.ndarray]:
        if self._offsets is None:
            self._offsets = self._read_index()
        return self._offsets

    def _read_index(self) -> list[np.ndarray]:
        """Reads the offsets from the index, or scans the shards and writes the index."""
        hashes = "\n".join(shard.sha256 for shard in self._shards)
        digest = hashlib.sha256(hashes.encode()).hexdigest()
        if self._index is not None and os.path.exists(self._index):
            files = [(shard.records, shard.num_bytes) for shard in self._shards]
            return read_offsets(self._index, digest, files)
        pairs = zip(self._paths, self._shards, strict=True)
        offsets = [find_offsets(path, shard.records) for path, shard in pairs]
        if self._index is not None:
            write_offsets(self._index, digest, offsets)
        return offsets


class RecordSlice(Sequence[Record]):
    """Some records of a split; reads those that are asked for.

    An integer gives a record; a slice, a sequence of integers or a boolean mask gives a
    `RecordSlice`. Serves as a map-style data set of PyTorch, with several workers too.

    Args:
        source: Where the records come from.
        places: Their places in the split.
    """

    def __init__(self, source: RecordPlaces, places: range | np.ndarray):
        self._source, self._places = source, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, rows: int) -> Record: ...
    @overload
    def __getitem__(self, rows: Rows) -> RecordSlice: ...
    def __getitem__(self, rows: Any) -> Record | RecordSlice:
        if isinstance(rows, slice):
            return RecordSlice(self._source, self._places[rows])
        if isinstance(rows, (Sequence, np.ndarray)) and np.ndim(rows):
            return RecordSlice(self._source, self._chosen(np.asarray(rows)))
        place = operator.index(rows)  # pyright: ignore[reportArgumentType]
        if not -len(self) <= place < len(self):
            raise IndexError(
                f"There is no record {place}. Expected: at least {-len(self)} and less than "
                f"{len(self)}. Received: record={place}. Count from 0."
            )
        return next(self._source.read([self._places[place]]))

    def __getitems__(self, rows: Sequence[int]) -> list[Record]:
        """Returns the records of a batch, decoded together; PyTorch calls it."""
        return list(self[list(rows)])

    def __iter__(self) -> Iterator[Record]:
        return self._source.read(self._places)

    def _chosen(self, rows: np.ndarray) -> np.ndarray:
        """Returns the places of rows: integers, negative ones from the end, or a boolean mask."""
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "biu"):
            raise TypeError(
                "Records are chosen by one axis. Expected: an integer, a slice, integers or "
                f"booleans. Received: an array of {rows.dtype} of shape {rows.shape}. Pass a list "
                "of integers."
            )
        return np.asarray(self._places)[rows if rows.size else []]
