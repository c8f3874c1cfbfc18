"""Slices of input shards. Each becomes one output shard and fits into memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from latentloom.pipeline.dataset.manifest import ShardEntry


class Slice(NamedTuple):
    """Some records of one shard.

    Args:
        shard: Number of the shard in its split, from 0.
        start: First record.
        stop: Record after the last.
    """

    shard: int
    start: int
    stop: int


def cut(shards: Sequence[ShardEntry], records: int) -> list[Slice]:
    """Cuts shards into slices of at most `records` records, in the order of file names.

    A shard of at most `records` records, even an empty one, is one slice.
    """
    order = sorted(range(len(shards)), key=lambda index: shards[index].file)
    return [
        Slice(index, start, min(start + records, shards[index].records))
        for index in order
        for start in range(0, max(shards[index].records, 1), records)
    ]


def is_whole(part: Slice, shards: Sequence[ShardEntry]) -> bool:
    """Whether a slice is a whole shard."""
    return part.start == 0 and part.stop == shards[part.shard].records
