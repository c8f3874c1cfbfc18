"""Ids of examples as 64-bit hashes: 8 bytes an id, however long the ids are."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from latentloom.augment import identity_keys
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import parse_features
from latentloom.pipeline.storage.files import file_size
from latentloom.pipeline.storage.tfrecords import read_records
from latentloom.pipeline.verification.problem import Problem, RecordProblems

_BATCH = 1024


def keys_of(ids: Sequence[str]) -> np.ndarray:
    """Returns the hashes of ids, uint64 of shape `(len(ids),)`."""
    return identity_keys(0, "verify", ids)


class Identities:
    """The hashes of many ids.

    Different ids share a hash with probability 2**-64 a pair: `missing` may overlook one missing id
    in 2**64 / n, and `find_repeated` compares the ids themselves.
    """

    def __init__(self) -> None:
        self._sorted = np.zeros(0, np.uint64)
        self._added: list[np.ndarray] = []

    def add(self, ids: Iterable[str]) -> None:
        """Adds ids; hashes a batch of them at a time."""
        ids = iter(ids)
        while batch := list(itertools.islice(ids, _BATCH)):
            self._added.append(keys_of(batch))

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

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Returns the ids that were not added."""
        known, keys = self.sorted(), keys_of(ids)
        if not len(known):
            return list(ids)
        places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        return [ids[row] for row in np.flatnonzero(known[places] != keys).tolist()]


def stored_ids(dataset: DatasetDir, split: str, index: int) -> Iterator[tuple[int, str]]:
    """Yields number and id of the readable records of a shard; decodes no observation."""
    entry = dataset.shards(split)[index]
    records = read_records(dataset.shard_path(split, index), entry.records)
    for number, record in enumerate(records):
        features = parse_features(record)
        if isinstance(features, str):
            continue
        values = features["example_id"].bytes_list.value
        if len(values) == 1:
            yield number, values[0].decode(errors="replace")


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
