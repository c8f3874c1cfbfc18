"""Indexes the records of a split, whose observations stay in the shards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry
from latentloom.pipeline.dataset.reading import ParsedRecord, codes_of, parse_row
from latentloom.pipeline.dataset.stored_observations import ShardRows, StoredObservations
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.record_files import PLACE, RecordFiles
from latentloom.pipeline.storage.tfrecords import FRAME, HEADER, read_records


def index_split(
    paths: Sequence[str],
    entries: Sequence[ShardEntry],
    manifest: Manifest,
    records: Sequence[set[int] | None],
) -> Examples | DeadLetter:
    """Reads all but the observations of some records; checks every record's checksum.

    Takes 28 bytes of memory for the place of a record, besides its factors and its id.

    Args:
        paths: Paths of the shards, local.
        entries: Their entries in the manifest.
        manifest: The manifest.
        records: Numbers of the records of each shard; None for all.

    Returns:
        The examples, whose observations are `StoredObservations`; or the first unusable record.
    """
    places, codes, ids = [np.empty(0, PLACE)], [codes_of(manifest, [])], []
    for shard, (path, entry, chosen) in enumerate(zip(paths, entries, records, strict=True)):
        found = _index_shard(shard, path, entry, manifest, chosen)
        if isinstance(found, DeadLetter):
            return found
        places.append(np.array([place for place, _ in found], PLACE))
        codes.append(codes_of(manifest, [row for _, row in found]))
        ids += [row.example_id for _, row in found]
    columns = np.concatenate(codes)
    files = RecordFiles(paths, [entry.num_bytes for entry in entries])
    kind, shape = KINDS[manifest.observation], manifest.observation_shape
    stored = StoredObservations(ShardRows(files, np.concatenate(places), kind, shape))
    factors = {name: columns[:, column].copy() for column, name in enumerate(manifest.factors)}
    return Examples(cast(np.ndarray, stored), factors, ids)


def _index_shard(
    shard: int, path: str, entry: ShardEntry, manifest: Manifest, chosen: set[int] | None
) -> list[tuple[tuple[int, ...], ParsedRecord]] | DeadLetter:
    """Returns place and row of each chosen record, without its value; or the first unusable one."""
    kind, offset = KINDS[manifest.observation], HEADER
    found = []
    stop = entry.records if chosen is None else max(chosen, default=-1) + 1
    for number, record in enumerate(read_records(path, entry.records, stop=stop)):
        if chosen is None or number in chosen:
            row = parse_row(number, record, manifest.factors, kind, manifest.observation_shape)
            if isinstance(row, str):
                return DeadLetter(entry.file, number, row)
            value = cast(bytes, row.value)
            start = cast(bytes, record).find(value)
            place = (shard, number, offset, len(cast(bytes, record)), start, len(value))
            found.append((place, row._replace(value=b"")))
        offset += (len(record) if isinstance(record, bytes) else 0) + FRAME
    return found
