"""Reads shards as batches of examples, and chooses the records of a sample."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry
from latentloom.pipeline.dataset.parsing import ParsedRecord, parse_row
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.tfrecords import read_records


def stream_shard(
    path: str,
    entry: ShardEntry,
    manifest: Manifest,
    *,
    batch_size: int,
    records: Container[int] | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[tuple[Examples, list[DeadLetter]]]:
    """Streams a shard in batches; damaged or unfit records become dead letters.

    Args:
        path: Path of the shard.
        entry: Its entry in the manifest.
        manifest: The manifest.
        batch_size: Records per batch, good and bad.
        records: Numbers of the records to read; all by default.
        start: The first record of a slice.
        stop: The record after the slice; the end of the shard by default.

    Yields:
        The good examples of a batch, and its dead letters; at least one batch, possibly empty.
    """
    kind = KINDS[manifest.observation]
    rows: list[ParsedRecord] = []
    dead: list[DeadLetter] = []
    for number, record in enumerate(
        read_records(path, entry.records, start=start, stop=stop), start
    ):
        if records is not None and number not in records:
            continue
        row = parse_row(number, record, manifest.factors, kind, manifest.image_shape)
        if isinstance(row, str):
            dead.append(DeadLetter(entry.file, number, row))
        else:
            rows.append(row)
        if len(rows) + len(dead) >= batch_size:
            yield _decode_batch(manifest, entry.file, rows, dead)
            rows, dead = [], []
    yield _decode_batch(manifest, entry.file, rows, dead)


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
    return _decode_batch(manifest, "", [], [])[0]


def _decode_batch(
    manifest: Manifest, file: str, rows: list[ParsedRecord], dead: list[DeadLetter]
) -> tuple[Examples, list[DeadLetter]]:
    """Decodes a batch; damaged observations join the dead letters."""
    kind = KINDS[manifest.observation]
    images, intact = kind.decode([row.value for row in rows], manifest.image_shape)
    broken = [rows[place].record for place in np.flatnonzero(~intact)]
    dead = dead + [DeadLetter(file, record, kind.damaged) for record in broken]
    rows = [rows[place] for place in np.flatnonzero(intact)]
    names = list(manifest.factors)
    codes = np.array([row.codes for row in rows], np.int64).reshape(len(rows), len(names))
    factors = {name: codes[:, column] for column, name in enumerate(names)}
    return Examples(images, factors, [row.example_id for row in rows]), dead
