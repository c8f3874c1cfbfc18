"""Serializes examples, names shards, and makes the manifest entry of a shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import ShardEntry
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.tf_example import serialize
from latentloom.pipeline.storage.tfrecords import ShardWriter


def shard_file(name: str, split: str, index: int, count: int) -> str:
    """Returns the TFDS file name of shard `index` (from 0) of `count`."""
    return f"{name}-{split}.tfrecord-{index:05d}-of-{count:05d}"


def shard_entry(writer: ShardWriter, file: str, label_counts: Sequence[int]) -> ShardEntry:
    """Returns the manifest entry of a written shard.

    Args:
        writer: The writer of the shard.
        file: Name of the shard.
        label_counts: Records of each class, by code.
    """
    return ShardEntry(
        file=file,
        records=writer.records,
        num_bytes=writer.num_bytes,
        sha256=writer.sha256,
        label_counts=list(label_counts),
    )


def example_records(kind: Kind, examples: Examples, ids: list[str]) -> Iterator[bytes]:
    """Serializes a batch: the observation as its kind stores it, the factors and the id."""
    names, columns = list(examples.factors), list(examples.factors.values())
    rows = np.stack(columns, axis=1).tolist()
    for value, codes, example_id in zip(kind.encode(examples.observations), rows, ids, strict=True):
        factors = dict(zip(names, codes, strict=True))
        yield serialize({kind.feature: value, **factors, "example_id": example_id})
