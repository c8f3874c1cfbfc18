"""Reads records as rows and shards as batches of examples; chooses the records of a sample."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry
from latentloom.pipeline.observations import BATCH_BYTES, KINDS, Kind
from latentloom.pipeline.storage.tf_example import Example
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records

NO_EXAMPLE = "the record is not a tf.train.Example"


class ParsedRecord(NamedTuple):
    """One record that fits its manifest, with its observation still encoded."""

    record: int
    value: bytes | np.ndarray
    codes: list[int]
    example_id: str


def parse_row(
    number: int,
    record: bytes | BadRecord,
    factors: Mapping[str, Sequence[str]],
    kind: Kind,
    observation_shape: tuple[int, ...],
) -> ParsedRecord | str:
    """Reads a `tf.train.Example`; returns the reason as text if it is unusable.

    Args:
        number: Number of the record in its shard.
        record: An item of `read_records`.
        factors: Value names of each factor.
        kind: The kind of observation.
        observation_shape: Event shape that the observation must have.
    """
    features = parse_features(record)
    if isinstance(features, str):
        return features
    return row_of(number, features, factors, kind, observation_shape)


def parse_features(record: bytes | BadRecord) -> Mapping[str, Any] | str:
    """Reads the features of a `tf.train.Example`, by name; a reason as text if it is unusable."""
    if isinstance(record, BadRecord):
        return record.reason
    try:
        example = Example.FromString(record)
    except DecodeError:
        return NO_EXAMPLE
    if example.ByteSize() != len(record):  # a feature that occurs twice, for one
        return "the record holds more than its features"
    return example.features.feature


def row_of(
    number: int,
    features: Mapping[str, Any],
    factors: Mapping[str, Sequence[str]],
    kind: Kind,
    observation_shape: tuple[int, ...],
) -> ParsedRecord | str:
    """Reads a row from the features of a record; takes the other arguments of `parse_row`."""
    codes = []
    for name, values in factors.items():
        code = features[name].int64_list.value
        if len(code) != 1:
            return f"feature '{name}' is missing or not one integer"
        value = code[0]
        if not 0 <= value < len(values):
            return f"feature '{name}' is {value}, outside 0..{len(values) - 1}"
        codes.append(value)
    example_id = features["example_id"].bytes_list.value
    if len(example_id) != 1:
        return "feature 'example_id' is missing or not one string"
    value = kind.parse(features[kind.feature], observation_shape)
    if isinstance(value, str):
        return value
    return ParsedRecord(number, value, codes, example_id[0].decode(errors="replace"))


Parse = Callable[..., ParsedRecord | str]
"""Reads one record; takes the arguments of `parse_row`."""


def stream_rows(
    path: str,
    entry: ShardEntry,
    manifest: Manifest,
    *,
    batch_size: int | None = None,
    records: Container[int] | None = None,
    start: int = 0,
    stop: int | None = None,
    parse: Parse = parse_row,
) -> Iterator[tuple[list[ParsedRecord], list[DeadLetter]]]:
    """Streams a shard in batches of rows that are not decoded yet.

    Damaged or unfit records become dead letters.

    Args:
        path: Path of the shard.
        entry: Its entry in the manifest.
        manifest: The manifest.
        batch_size: Records per batch, good and bad; by default as many as `Kind.batch_size`. A
            batch ends earlier if its encoded records reach `BATCH_BYTES`.
        records: Numbers of the records to read; all by default.
        start: The first record of a slice.
        stop: The record after the slice; the end of the shard by default.
        parse: Reads one record, as `parse_row` does.

    Yields:
        The rows of a batch, and its dead letters; at least one batch, possibly empty.
    """
    kind = KINDS[manifest.observation]
    rows: list[ParsedRecord] = []
    dead: list[DeadLetter] = []
    most, num_bytes = batch_size or kind.batch_size(manifest.observation_shape), 0
    for number, record in enumerate(
        read_records(path, entry.records, start=start, stop=stop), start
    ):
        if records is not None and number not in records:
            continue
        row = parse(number, record, manifest.factors, kind, manifest.observation_shape)
        if isinstance(row, str):
            dead.append(DeadLetter(entry.file, number, row))
        else:
            rows.append(row)
            num_bytes += len(record) if isinstance(record, bytes) else 0
        if len(rows) + len(dead) >= most or num_bytes >= BATCH_BYTES:
            yield rows, dead
            rows, dead, num_bytes = [], [], 0
    yield rows, dead


def sampled_records(split: str, sizes: Sequence[int], limit: int | None) -> list[set[int] | None]:
    """Chooses the records of each shard for a sample of a split, keyed by their position in it.

    Args:
        split: Name of the split.
        sizes: Number of records of each shard.
        limit: Size of the sample; everything by default.

    Returns:
        Numbers of records for each shard; None for all.
    """
    if limit is None or limit >= sum(sizes):
        return [None] * len(sizes)
    keys = identity_keys(0, f"limit {split}", [str(row) for row in range(sum(sizes))])
    rows = np.sort(np.argsort(keys, kind="stable")[:limit])
    ends = np.cumsum(sizes)
    return [
        set((rows[(rows >= end - size) & (rows < end)] - (end - size)).tolist())
        for size, end in zip(sizes, ends, strict=True)
    ]


def no_examples(manifest: Manifest) -> Examples:
    """Returns an empty batch of a data set."""
    return decode_rows(manifest, "", [], [])[0]


def decode_rows(
    manifest: Manifest, file: str, rows: list[ParsedRecord], dead: list[DeadLetter]
) -> tuple[Examples, list[DeadLetter]]:
    """Decodes the rows of a shard; damaged observations join the dead letters."""
    kind = KINDS[manifest.observation]
    images, intact = kind.decode([row.value for row in rows], manifest.observation_shape)
    broken = [rows[place].record for place in np.flatnonzero(~intact).tolist()]
    dead = dead + [DeadLetter(file, record, kind.damaged) for record in broken]
    rows = [rows[place] for place in np.flatnonzero(intact).tolist()]
    return Examples(images, factors_of(manifest, rows), [row.example_id for row in rows]), dead


def factors_of(manifest: Manifest, rows: Sequence[ParsedRecord]) -> dict[str, np.ndarray]:
    """Returns the value indices of rows by factor, int64 of shape `(n,)` each."""
    codes = codes_of(manifest, rows)
    return {name: codes[:, column] for column, name in enumerate(manifest.factors)}


def codes_of(manifest: Manifest, rows: Sequence[ParsedRecord]) -> np.ndarray:
    """Returns the value indices of rows, int64 of shape `(n, factors)`."""
    return np.array([row.codes for row in rows], np.int64).reshape(len(rows), len(manifest.factors))
