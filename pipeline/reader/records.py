"""Turns records of a data set directory into NumPy arrays and plain values, without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import NO_EXAMPLE, row_of
from latentloom.pipeline.storage.tf_example import PlainFeatures
from latentloom.pipeline.storage.tfrecords import BadRecord

Record = dict[str, Any]
Stored = bytes | np.ndarray
"""A stored observation: a PNG, a vector, or pairs of word and count."""


class ParsedExample(NamedTuple):
    """A record that fits the manifest: its place, stored observation and other features."""

    file: str
    number: int
    value: Stored
    features: Record


def decoded(dataset: DatasetDir, block: Sequence[ParsedExample]) -> Iterator[Record]:
    """Yields records with their observations.

    Raises:
        ValueError: If an observation is damaged.
    """
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
