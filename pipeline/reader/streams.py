"""Reads the records of a data set directory in order, or by place, without TensorFlow."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.reader.record_slices import RecordPlaces, RecordSlice, Rows, block_size
from latentloom.pipeline.reader.records import ParsedExample, Record, RecordReader, decoded
from latentloom.pipeline.reader.selection import Selection
from latentloom.pipeline.storage.tfrecords import read_records


def read(
    path: str | os.PathLike[str],
    split: str = "train",
    *,
    recipes: Sequence[str] = (),
    min_confidence: float = 0.0,
    worker: int = 0,
    num_workers: int = 1,
    index: str | os.PathLike[str] | None = None,
) -> Records:
    """Reads the records of a data set directory, in the order of its shards, or by their places.

    Args:
        path: A data set directory, imported or generated.
        split: Name of the split.
        recipes: Recipes to keep, for generated records; all by default.
        min_confidence: Least probability of the class by the judge, in `[0, 1]`, for generated
            records.
        worker: Integer, the part of the records to read, from 0; give each process its own part.
        num_workers: Integer, number of parts.
        index: Path of a file that keeps where records begin, so that the next process need not scan
            the shards before it reads by place; written if it is missing. By default nothing is
            written.

    Returns:
        The records, each a dictionary of its features: `image`, uint8 of shape `(height, width,
        channels)`, `observation`, float32 of shape `(features,)`, or `words`, int32 counts of
        shape `(words,)`; an integer for `label` and every other factor;
        and all other features of the record, such as `example_id`.

    Raises:
        FileNotFoundError: If the directory or one of its files is missing.
        ValueError: If the directory or a record is damaged, the split or the part is unknown, or a
            selection needs generated records.
    """
    if not 0 <= worker < num_workers:
        raise ValueError(
            "The part of the records is out of range. Expected: worker in 0 to num_workers - 1. "
            f"Received: worker={worker}, num_workers={num_workers}. Number the parts from 0."
        )
    dataset = DatasetDir.open(path)
    selection = Selection(tuple(recipes), min_confidence)
    selection.check(dataset.manifest)
    dataset.shards(split)
    kept = None if index is None else os.fspath(index)
    return Records(dataset, split, selection, worker, num_workers, kept)


class Records(Sequence[Record]):
    """The records of a part of a split: an iterator streams them, an index reads by place.

    An integer gives a record; a slice, a sequence of integers or a boolean mask gives a
    `RecordSlice`. Reading by place needs a local directory. A selection of recipes or confidence
    reads all records once before the first length or place.

    Args:
        dataset: The data set directory.
        split: Name of the split.
        selection: The generated records that are wanted.
        worker: Integer, the part of the records, from 0.
        num_workers: Integer, number of parts.
        index: Path of the file that keeps where records begin; None for none.
    """

    def __init__(
        self,
        dataset: DatasetDir,
        split: str,
        selection: Selection,
        worker: int = 0,
        num_workers: int = 1,
        index: str | None = None,
    ):
        self._dataset, self.split, self._selection = dataset, split, selection
        self._part, self._index = (worker, num_workers), index
        self._streamed: Iterator[Record] | None = None

    @property
    def path(self) -> str:
        """Path of the directory."""
        return self._dataset.path

    @property
    def splits(self) -> dict[str, int]:
        """Number of records of every split of the directory."""
        manifest = self._dataset.manifest
        return {split: manifest.num_examples(split) for split in manifest.splits}

    @property
    def factors(self) -> dict[str, list[str]]:
        """Names of the values of `label` and of every other factor, in the order of the codes."""
        return self._dataset.manifest.factors

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of the labels."""
        return self._dataset.manifest.class_names

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one observation, `(height, width, channels)` for images."""
        return self._dataset.manifest.observation_shape

    @functools.cached_property
    def _all(self) -> RecordSlice:
        """All of them by place."""
        source, (worker, num_workers) = self._places, self._part
        places: range | np.ndarray = range(worker, len(source), num_workers)
        if not self._selection.wants_all:
            parsed = _parsed(self._dataset, self.split, worker, num_workers)
            wanted = [self._selection.accepts(_whole(found).features) for found in parsed]
            places = np.asarray(places)[np.array(wanted, bool)]
        return RecordSlice(source, places)

    @functools.cached_property
    def _places(self) -> RecordPlaces:
        return RecordPlaces(self._dataset, self.split, self._index)

    def __len__(self) -> int:
        if self._selection.wants_all:  # also of a remote directory
            worker, num_workers = self._part
            return len(range(worker, self.splits[self.split], num_workers))
        return len(self._all)

    @overload
    def __getitem__(self, rows: int) -> Record: ...
    @overload
    def __getitem__(self, rows: Rows) -> RecordSlice: ...
    def __getitem__(self, rows: Any) -> Record | RecordSlice:
        return self._all[rows]

    def __getitems__(self, rows: Sequence[int]) -> list[Record]:
        """Returns the records of a batch, decoded together; PyTorch calls it."""
        return self._all.__getitems__(rows)

    def __iter__(self) -> Iterator[Record]:
        return _stream(self._dataset, self.split, self._selection, *self._part)

    def __next__(self) -> Record:
        """Returns the next record of one stream, so that `next` works as with an iterator."""
        if self._streamed is None:
            self._streamed = iter(self)
        return next(self._streamed)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_streamed": None}


def _stream(
    dataset: DatasetDir, split: str, selection: Selection, worker: int, num_workers: int
) -> Iterator[Record]:
    """Decodes blocks of the selected records; yields those before a bad record, then raises."""
    size, block = block_size(dataset), []
    for found in _parsed(dataset, split, worker, num_workers):
        if isinstance(found, ValueError):
            yield from decoded(dataset, block)
            raise found
        if selection.wants_all or selection.accepts(found.features):
            block.append(found)
        if len(block) == size:
            yield from decoded(dataset, block)
            block = []
    yield from decoded(dataset, block)


def _parsed(
    dataset: DatasetDir, split: str, worker: int, num_workers: int
) -> Iterator[ParsedExample | ValueError]:
    """Yields the records of a part of a split, up to a bad one: that one as an error."""
    place, reader = 0, RecordReader(dataset)
    for index, shard in enumerate(dataset.shards(split)):
        records = read_records(dataset.shard_path(split, index), shard.records)
        for number, data in enumerate(records):
            is_ours, place = place % num_workers == worker, place + 1
            if is_ours:
                found = reader.parse(shard.file, number, data)
                yield found
                if isinstance(found, ValueError):
                    return


def _whole(found: ParsedExample | ValueError) -> ParsedExample:
    """Returns a record that was parsed; raises the reason if it was not."""
    if isinstance(found, ValueError):
        raise found
    return found
