"""Reads records of a data set directory as NumPy arrays and plain values, without TensorFlow."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import parse_row
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.reader.selection import Selection
from latentloom.pipeline.storage.tf_example import plain_features
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records

Record = dict[str, Any]
Stored = bytes | np.ndarray
"""A stored observation: a PNG, a vector, or pairs of word and count."""


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


def _stream(
    dataset: DatasetDir, split: str, selection: Selection, worker: int, num_workers: int
) -> Iterator[Record]:
    kind, shape = dataset.observation_kind, dataset.manifest.observation_shape
    for value, features in _selected(dataset, split, selection, worker, num_workers):
        yield {**features, kind.feature: _decode(value, kind, shape)}


def _selected(
    dataset: DatasetDir, split: str, selection: Selection, worker: int, num_workers: int
) -> Iterator[tuple[Stored, Record]]:
    """Yields stored observations and features of the selected records."""
    place = 0
    for index, shard in enumerate(dataset.shards(split)):
        for number, data in enumerate(
            read_records(dataset.shard_path(split, index), shard.records)
        ):
            place += 1
            if (place - 1) % num_workers != worker:
                continue
            value, features = parse_record(dataset, shard.file, number, data)
            if selection.accepts(features):
                yield value, features


def parse_record(
    dataset: DatasetDir, file: str, number: int, data: bytes | BadRecord
) -> tuple[Stored, Record]:
    """Returns the stored observation of a record in shard `file`, and its features as plain values.

    Raises:
        ValueError: If the record is damaged or does not fit the manifest.
    """
    manifest = dataset.manifest
    row = parse_row(
        number, data, manifest.factors, dataset.observation_kind, manifest.observation_shape
    )
    if isinstance(row, str) or isinstance(data, BadRecord):
        raise ValueError(
            f"Data set '{dataset.path}' has a bad record. Expected: intact records. Received: "
            f"record {number} of '{file}': {row}. Run `latentloom verify` for all of them, and "
            "write the data set again."
        )
    return row.value, plain_features(data)


def _decode(value: Stored, kind: Kind, shape: tuple[int, ...]) -> np.ndarray:
    """Decodes an image (`parse_row` has checked its size), counts of all words, or a vector."""
    if isinstance(value, np.ndarray):
        return value if value.shape == shape else kind.decode([value], shape)[0][0]
    from PIL import Image

    with Image.open(io.BytesIO(value), formats=["PNG"]) as image:
        pixels = np.array(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]
