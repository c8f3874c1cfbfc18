"""Reads some examples for a report, without those that are damaged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.reading import decode_rows, no_examples
from latentloom.pipeline.dataset.sampling import sample

TEST = "test"
READ_AT_MOST = 20_000
"""Most examples of a split that the figures of a report are drawn from."""


def read_some(dataset: DatasetDir, split: str) -> Examples:
    """The first `READ_AT_MOST` readable examples, a sample since the shards are shuffled.

    Images of a local data set stay in their shards.
    """
    missing, records = READ_AT_MOST, []
    for index in range(len(dataset.shards(split))):
        readable = set(itertools.islice(_readable(dataset, split, index), missing))
        records.append(readable)
        missing -= len(readable)
    return dataset.read_records(split, records)


def read_test(source: DatasetDir, config: Config) -> Examples:
    """Some real test examples in memory; none where the variants themselves are of that split."""
    if source.scored_split != TEST or config.generate.split == TEST:
        return no_examples(source.manifest)
    most, seed = config.evaluate.probe_examples, config.generate.seed
    return sample(read_some(source, TEST), most, seed, "evaluate")


def _readable(dataset: DatasetDir, split: str, index: int) -> Iterator[int]:
    """The numbers of the records of a shard that are readable, in order."""
    file = dataset.shards(split)[index].file
    for rows, _ in dataset.iter_rows(split, index):
        damaged = {letter.record for letter in decode_rows(dataset.manifest, file, rows, [])[1]}
        yield from (row.record for row in rows if row.record not in damaged)
