"""Ids of examples as 64-bit hashes: 8 bytes an id, however long the ids are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import parse_features
from latentloom.pipeline.storage.files import file_size
from latentloom.pipeline.storage.tfrecords import read_records
from latentloom.pipeline.verification.problem import Problem, RecordProblems

_BATCH = 1024
_LARGEST_CODE = 1 << 31


def keys_of(ids: Sequence[str]) -> np.ndarray:
    """Returns the hashes of ids, int64 of shape `(len(ids),)`; the same within one process."""
    return np.fromiter(map(hash, ids), np.int64, len(ids))


class Identities:
    """The hashes of many ids.

    Different ids share a hash with probability 2**-64 a pair; `find_repeated` compares the ids
    themselves.
    """

    def __init__(self) -> None:
        self._sorted = np.zeros(0, np.int64)
        self._added: list[np.ndarray] = []

    def add(self, ids: Sequence[str]) -> None:
        """Adds ids."""
        self._added.append(keys_of(ids))

    def sorted(self) -> np.ndarray:
        """Returns all hashes, sorted."""
        if self._added:
            self._sorted = np.concatenate([self._sorted, *self._added])
            self._sorted.sort()
            self._added = []
        return self._sorted

    def repeated(self) -> np.ndarray:
        """Returns the hashes that were added more than once."""
        keys = self.sorted()
        return np.unique(keys[1:][keys[1:] == keys[:-1]])


def stored_ids(dataset: DatasetDir, split: str, index: int) -> Iterator[tuple[int, str]]:
    """Yields number and id of the readable records of a shard; decodes no observation."""
    for number, example_id, _ in _stored_features(dataset, split, index):
        yield number, example_id


def stored_codes(
    dataset: DatasetDir, split: str, index: int, factors: Sequence[str]
) -> Iterator[tuple[list[str], list[list[int]]]]:
    """Yields ids and value indices of the readable records of a shard, a batch at a time.

    Args:
        dataset: The data set directory.
        split: Name of the split.
        index: Number of the shard, from 0.
        factors: Names of the factors; a value that is not one integer is -1.
    """
    stored = _stored_features(dataset, split, index)
    while batch := list(itertools.islice(stored, _BATCH)):
        ids = [example_id for _, example_id, _ in batch]
        yield ids, [[_code_of(features, name) for name in factors] for _, _, features in batch]


def _code_of(features: Mapping[str, Any], name: str) -> int:
    values = features[name].int64_list.value if name in features else ()
    return values[0] if len(values) == 1 and abs(values[0]) < _LARGEST_CODE else -1


def _stored_features(
    dataset: DatasetDir, split: str, index: int
) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Yields number, id and features of the readable records of a shard."""
    entry = dataset.shards(split)[index]
    records = read_records(dataset.shard_path(split, index), entry.records)
    for number, record in enumerate(records):
        features = parse_features(record)
        if isinstance(features, str):
            continue
        values = features["example_id"].bytes_list.value
        if len(values) == 1:
            yield number, values[0].decode(errors="replace"), features


def find_repeated(dataset: DatasetDir, repeated: np.ndarray) -> list[Problem]:
    """Names the records whose id an earlier record has; reads the shards once more.

    Args:
        dataset: The data set directory.
        repeated: Hashes that occur more than once.
    """
    suspects = set(repeated.tolist())
    first: dict[str, str] = {}
    problems: list[Problem] = []
    for split, entries in dataset.splits.items() if suspects else ():
        for index, entry in enumerate(entries):
            if file_size(dataset.shard_path(split, index)) is None:
                continue
            found = RecordProblems(entry.file)
            for number, example_id in stored_ids(dataset, split, index):
                if keys_of([example_id])[0] not in suspects:
                    continue
                place = f"record {number} of '{entry.file}'"
                if (earlier := first.setdefault(example_id, place)) != place:
                    found.add(number, f"has the id {example_id!r} of {earlier}")
            problems += found.all()
    return problems
