"""Writes a split of a source as shards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import ShardEntry
from latentloom.pipeline.dataset.writing import example_records, shard_entry, shard_file
from latentloom.pipeline.importing.outcome import ImportOutcome
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.tfrecords import ShardWriter

_SHARD_EXAMPLES = 8192
_WAITING_BYTES = 8 << 20  # records that wait for their shards


def write_split(
    folder: str, name: str, source: Source, split: str, shards: int | None, outcome: ImportOutcome
) -> list[ShardEntry]:
    """Writes a split; the keyed hash of an example's id picks its shard.

    Args:
        folder: Folder to write to.
        name: Name of the data set.
        source: Source to read.
        split: Name of the split.
        shards: Number of shards; by default one for each 8,192 examples.
        outcome: Counts the examples.

    Returns:
        The shards for the manifest, in order.
    """
    kind = KINDS[source.observation]
    count = shards or max(1, -(-source.splits[split] // _SHARD_EXAMPLES))
    files = [shard_file(name, split, index, count) for index in range(count)]
    labels = np.zeros((count, len(source.factors["label"])), np.int64)
    with contextlib.ExitStack() as stack:
        turns = _Turns([os.path.join(folder, file) for file in files], stack)
        for examples, dead in source.batches(split):
            ids = stored_ids(name, split, examples)
            homes = (identity_keys(0, "shard", ids) % np.uint64(count)).astype(np.int64)
            turns.write(homes.tolist(), example_records(kind, examples, ids))
            np.add.at(labels, (homes, examples.labels), 1)
            outcome.add_batch(split, examples, ids, dead)
        turns.flush()
    return [
        shard_entry(writer, file, row.tolist())
        for file, writer, row in zip(files, turns.writers, labels, strict=True)
    ]


def stored_ids(name: str, split: str, examples: Examples) -> list[str]:
    """Returns the ids that examples get in a data set of this name."""
    return [f"{name}/{split}/{position}" for position in examples.ids]


class _Turns:
    """Writes shards by turns, however many: one file is open at a time, others wait in memory.

    Args:
        paths: Paths of the shards.
        stack: Completes the shards, or removes them after an error.
    """

    def __init__(self, paths: Sequence[str], stack: contextlib.ExitStack):
        self.writers: list[ShardWriter] = []
        for path in paths:
            self.writers.append(stack.enter_context(ShardWriter(path)))
            self.writers[-1].rest()
        self._waiting: list[list[bytes]] = [[] for _ in paths]
        self._num_bytes = 0

    def write(self, homes: Sequence[int], records: Sequence[bytes]) -> None:
        """Adds each record to the shard that is its home."""
        for home, record in zip(homes, records, strict=True):
            self._waiting[home].append(record)
        self._num_bytes += sum(map(len, records))
        if self._num_bytes >= _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        for writer, records in zip(self.writers, self._waiting, strict=True):
            if records:
                writer.write_all(records)
                writer.rest()
                records.clear()
        self._num_bytes = 0
