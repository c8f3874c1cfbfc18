"""Writes a split of a source as shards."""

from __future__ import annotations

import contextlib
import os

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.manifest import ShardEntry
from latentloom.pipeline.dataset.writing import example_records, shard_entry, shard_file
from latentloom.pipeline.importing.outcome import ImportOutcome
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.tfrecords import ShardWriter

_SHARD_EXAMPLES = 8192


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
        writers = [stack.enter_context(ShardWriter(os.path.join(folder, file))) for file in files]
        for examples, dead in source.batches(split):
            ids = [f"{name}/{split}/{position}" for position in examples.ids]
            homes = (identity_keys(0, "shard", ids) % np.uint64(count)).astype(np.int64)
            records = example_records(kind, examples, ids)
            for home, record in zip(homes, records, strict=True):
                writers[home].write(record)
            np.add.at(labels, (homes, examples.labels), 1)
            outcome.add(len(examples), dead)
    return [
        shard_entry(writer, file, row.tolist())
        for file, writer, row in zip(files, writers, labels, strict=True)
    ]
