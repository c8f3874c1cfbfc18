"""Reads records of a data set directory as NumPy arrays and plain values, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import NO_EXAMPLE, row_of
from latentloom.pipeline.reader.selection import Selection
from latentloom.pipeline.storage.tf_example import PlainFeatures
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records

Record = dict[str, Any]
Stored = bytes | np.ndarray
"""A stored observation: a PNG, a vector, or pairs of word and count."""
_BLOCK = 64  # largest number of observations decoded at a time


def read(
    path: str | os.PathLike[str],
    split: str = "train",
    *,
    recipes: Sequence[str] = (),
    min_confidence: float = 0.0,
    worker: int = 0,
    num_workers: int = 1,
) -> Iterator[Record]:
    """Streams the records of a data set directory, in the order of its shards.

    Args:
        path: A data set directory, imported or generated.
        split: Name of the split.
        recipes: Recipes to keep, for generated records; all by default.
        min_confidence: Least probability of the class by the judge, in `[0, 1]`, for generated
            records.
        worker: Integer, the part of the records to read, from 0; give each process its own part.
        num_workers: Integer, number of parts.

    Yields:
        Per record a dictionary of its features: `image`, uint8 of shape `(height, width,
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
    return _stream(dataset, split, selection, worker, num_workers)


class ParsedExample(NamedTuple):
    """A record that fits the manifest: its place, stored observation and other features."""

    file: str
    number: int
    value: Stored
    features: Record


def _stream(
    dataset: DatasetDir, split: str, selection: Selection, worker: int, num_workers: int
) -> Iterator[Record]:
    """Decodes blocks of the selected records; yields those before a bad record, then raises."""
    size = dataset.observation_kind.batch_size(dataset.manifest.observation_shape, _BLOCK)
    block: list[ParsedExample] = []
    for found in _parsed(dataset, split, worker, num_workers):
        if isinstance(found, ValueError):
            yield from _decoded(dataset, block)
            raise found
        if selection.wants_all or selection.accepts(found.features):
            block.append(found)
        if len(block) == size:
            yield from _decoded(dataset, block)
            block = []
    yield from _decoded(dataset, block)


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


def _decoded(dataset: DatasetDir, block: Sequence[ParsedExample]) -> Iterator[Record]:
    """Yields records with their observations."""
    kind = dataset.observation_kind
    values = [example.value for example in block]
    observations, intact = kind.decode(values, dataset.manifest.observation_shape)
    decoded = iter(observations)
    for (file, number, _, features), whole in zip(block, intact.tolist(), strict=True):
        if not whole:
            raise bad_record(dataset, file, number, kind.damaged)
        features[kind.feature] = next(decoded).copy()
        yield features


class RecordReader:
    """Reads the records of a data set without decoding their observations.

    Args:
        dataset: The data set directory.
    """

    def __init__(self, dataset: DatasetDir):
        self._dataset, self._kind = dataset, dataset.observation_kind
        self._shape = dataset.manifest.observation_shape
        self._sizes = {name: len(values) for name, values in dataset.manifest.factors.items()}
        self._plain = PlainFeatures(without=self._kind.feature)

    def parse(self, file: str, number: int, data: bytes | BadRecord) -> ParsedExample | ValueError:
        """Reads record `number` of shard `file`; an error if it does not fit the manifest."""
        if isinstance(data, BadRecord):
            return bad_record(self._dataset, file, number, data.reason)
        try:
            features, found = self._plain.read(data)
        except DecodeError:
            return bad_record(self._dataset, file, number, NO_EXAMPLE)
        value = self._kind.parse(features[self._kind.feature], self._shape)
        if isinstance(value, str) or not self._fits(found):
            factors = self._dataset.manifest.factors
            row = row_of(number, features, factors, self._kind, self._shape)
            return bad_record(self._dataset, file, number, str(row))
        return ParsedExample(file, number, value, found)

    def _fits(self, features: Record) -> bool:
        """Returns whether `row_of` would accept factors and id."""
        for name, size in self._sizes.items():
            code = features.get(name)
            if type(code) is not int or not 0 <= code < size:
                return False
        return isinstance(features.get("example_id"), (str, bytes))


def parse_record(
    dataset: DatasetDir, file: str, number: int, data: bytes | BadRecord
) -> tuple[Stored, Record]:
    """Returns the stored observation of a record in shard `file`, and its other features.

    Raises:
        ValueError: If the record is damaged or does not fit the manifest.
    """
    found = RecordReader(dataset).parse(file, number, data)
    if isinstance(found, ValueError):
        raise found
    return found.value, found.features


def bad_record(dataset: DatasetDir, file: str, number: int, reason: str) -> ValueError:
    """Returns the error for a record that is damaged or does not fit the manifest."""
    return ValueError(
        f"Data set '{dataset.path}' has a bad record. Expected: intact records. Received: record "
        f"{number} of '{file}': {reason}. Run `latentloom verify` for all of them, and write the "
        "data set again."
    )
