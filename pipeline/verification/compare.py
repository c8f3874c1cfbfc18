"""Compares two data set directories record by record, in bounded memory."""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.reader.records import Record, Stored, parse_record
from latentloom.pipeline.storage.files import sha256_file
from latentloom.pipeline.storage.tfrecords import read_records
from latentloom.pipeline.verification.agreement import Agreement, Alone, check_comparable

_BATCH = 256  # largest number of pairs of records decoded at a time
_SAMPLE = 10_000  # examples for the unit of differences
_NAMED = 3  # largest number of ids to show for records of one directory alone

_Parsed = tuple[Stored, Record]
_Pair = tuple[_Parsed | None, _Parsed | None]


def compare(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> Agreement:
    """Measures how two directories agree; records are matched by id, shard by shard.

    Skips a shard if both manifests and the second directory's file have the same hash. `verify`
    checks the first directory against its manifest.

    Args:
        path: A data set directory.
        other: Another data set directory, with the same observations, factors and shards.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the directories are not comparable, or a record is damaged.
    """
    check_comparable(path, other)
    comparison = _Comparison((DatasetDir.open(path), DatasetDir.open(other)))
    for split in comparison.sides[0].splits:
        comparison.add_split(split)
    return comparison.agreement()


@dataclass
class _Comparison:
    """A comparison in progress; its counts become an `Agreement`."""

    sides: tuple[DatasetDir, DatasetDir]
    equal_shards: int = 0
    alone: tuple[int, int] = (0, 0)
    ids: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    features: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    values: int = 0
    difference: float = 0.0
    confidence: float = 0.0

    def add_split(self, split: str) -> None:
        """Compares the shards of a split."""
        first, second = self.sides
        unequal = []
        for index, shard in enumerate(first.shards(split)):
            recorded = second.shards(split)[index].sha256
            if shard.sha256 == recorded == sha256_file(second.shard_path(split, index)):
                self.equal_shards += 1
            else:
                unequal.append(index)
        if unequal:
            unit = first.observation_kind.difference_unit(
                lambda: first.read(split, _SAMPLE).observations
            )
            kind, shape = first.observation_kind, first.manifest.observation_shape
            size = kind.batch_size(shape, _BATCH)
            for index in unequal:
                pairs = _unlike_pairs(self.sides, split, index)
                while batch := list(itertools.islice(pairs, size)):
                    self._add(batch, unit)

    def _add(self, batch: list[_Pair], unit: np.ndarray) -> None:
        """Counts the differences in some pairs of records."""
        stored = []
        for pair in batch:
            first, second = pair
            if first and second:
                self._add_features(first[1], second[1])
                if bytes(first[0]) != bytes(second[0]):
                    stored.append((first[0], second[0]))
            else:
                self._add_alone(pair)
        if stored:
            self._add_observations(stored, unit)

    def _add_alone(self, pair: _Pair) -> None:
        """Counts a record that only one directory has."""
        first, second = self.alone
        self.alone = first + (pair[1] is None), second + (pair[0] is None)
        for ids, parsed in zip(self.ids, pair, strict=True):
            if parsed and len(ids) < _NAMED:
                ids.append(str(parsed[1]["example_id"]))

    def _add_features(self, features: Record, others: Record) -> None:
        """Counts the features in which two records differ, except the observation."""
        names = (features.keys() | others.keys()) - {self.sides[0].observation_kind.feature}
        for name in sorted(names):
            value, other = features.get(name), others.get(name)
            if value == other:
                continue
            if name.startswith(CONFIDENCE) and {type(value), type(other)} == {float}:
                apart = abs(features[name] - others[name])
                self.confidence = float(np.maximum(self.confidence, apart))
            else:
                self.features[name] += 1

    def _add_observations(self, stored: list[tuple[Stored, Stored]], unit: np.ndarray) -> None:
        """Measures the differences of pairs of observations, value by value."""
        columns = zip(*stored, strict=True)
        ours, theirs = map(_decode, self.sides, columns)
        difference = np.abs(np.subtract(ours, theirs, dtype=np.float32)) / unit
        differs = difference.reshape(len(stored), -1) > 0
        self.observations += int(np.count_nonzero(differs.any(axis=1)))
        self.values += int(np.count_nonzero(differs))
        self.difference = max(self.difference, float(difference.max()))

    def agreement(self) -> Agreement:
        """Returns the result."""
        first = self.sides[0]
        manifest = first.manifest
        written = sum(manifest.num_examples(split) for split in first.splits)
        records = written - self.alone[0]
        num_values = records * math.prod(manifest.observation_shape)
        alone, other = (
            Alone(side.path, count, tuple(ids))
            for side, count, ids in zip(self.sides, self.alone, self.ids, strict=True)
        )
        return Agreement(
            kind=first.observation_kind,
            shards=sum(map(len, first.splits.values())),
            equal_shards=self.equal_shards,
            records=records,
            alone=(alone, other),
            features=dict(self.features),
            observations=self.observations,
            share=self.values / max(num_values, 1),
            difference=self.difference,
            confidence=self.confidence,
        )


def _unlike_pairs(sides: tuple[DatasetDir, DatasetDir], split: str, index: int) -> Iterator[_Pair]:
    """Yields pairs of records of a shard with the same id; `None` for a missing one.

    Skips records with equal bytes at the same position. Reads both files in step and keeps a record
    in memory until its twin arrives: a short time if both have the same order.
    """
    waiting: tuple[dict[str, list[_Parsed]], ...] = ({}, {})
    shards = [side.shards(split)[index] for side in sides]
    streams = [
        read_records(side.shard_path(split, index), shard.records)
        for side, shard in zip(sides, shards, strict=True)
    ]
    for number, found in enumerate(itertools.zip_longest(*streams)):
        if isinstance(found[0], bytes) and found[0] == found[1]:
            continue
        for place, data in enumerate(found):
            if data is None:
                continue
            parsed = parse_record(sides[place], shards[place].file, number, data)
            example_id = parsed[1]["example_id"]
            if twins := waiting[1 - place].get(example_id):
                yield (parsed, twins.pop(0)) if place == 0 else (twins.pop(0), parsed)
            else:
                waiting[place].setdefault(example_id, []).append(parsed)
    yield from ((parsed, None) for left in waiting[0].values() for parsed in left)
    yield from ((None, parsed) for left in waiting[1].values() for parsed in left)


def _decode(side: DatasetDir, values: Sequence[Stored]) -> np.ndarray:
    """Decodes observations of a directory.

    Raises:
        ValueError: If one is damaged.
    """
    kind = side.observation_kind
    observations, intact = kind.decode(list(values), side.manifest.observation_shape)
    if not intact.all():
        raise ValueError(
            f"Data set '{side.path}' has damaged {kind.many}: "
            f"{kind.damaged}. Expected: intact ones. Received: {np.sum(~intact)} damaged. "
            "Run `latentloom verify` for all of them, and write the data set again."
        )
    return observations
