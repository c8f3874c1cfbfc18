"""The records of a data set as rows with names in place of codes, for other formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.reader.records import ParsedExample, RecordReader, Stored, bad_record
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records

TEXT, TEXTS, INTEGER, FLOAT, TRUTH = "string", "strings", "int64", "float32", "bool"
"""Types of the columns beside observation, label and factors."""
_PROVENANCE = {
    "example_id": TEXT,
    "anchor_id": TEXT,
    "donor_ids": TEXTS,
    "recipe": TEXT,
    "seed": INTEGER,
    "seen_combination": TRUTH,
}


@dataclass(frozen=True)
class Row:
    """A record on its way to another format.

    Args:
        key: Its name, unique in the data set: number of the shard and of the record in it.
        observation: The stored observation: PNG, vector, or pairs of word and count.
        codes: Code of the label and of every other factor.
        provenance: Its id and, if it was generated, where it comes from.
    """

    key: str
    observation: Stored
    codes: dict[str, int]
    provenance: dict[str, Any]

    def named(self, dataset: DatasetDir) -> dict[str, str]:
        """Returns the names of the values of label and factors."""
        return {name: dataset.manifest.factors[name][code] for name, code in self.codes.items()}


def column_types(dataset: DatasetDir) -> dict[str, str]:
    """Returns the type of each column beside observation, label and factors.

    Reads the first record: all records of a data set have the same features.

    Raises:
        ValueError: If the first record is damaged, or has a feature that no column can hold.
    """
    known = {dataset.observation_kind.feature, *dataset.manifest.factors}
    for split, shards in dataset.splits.items():
        for index, shard in enumerate(shards):
            for data in read_records(dataset.shard_path(split, index), shard.records, stop=1):
                found = RecordReader(dataset).parse(shard.file, 0, data)
                if isinstance(found, ValueError):
                    raise found
                names = [name for name in found.features if name not in known]
                types = {name: _type_of(name, found.features[name]) for name in names}
                return {name: types[name] for name in sorted(types, key=_order)}
    return {"example_id": TEXT}


def checked_records(
    dataset: DatasetDir, split: str, index: int
) -> Iterator[tuple[bytes, ParsedExample]]:
    """Streams a shard: the bytes of each record, and what they hold.

    Raises:
        ValueError: If a record is damaged.
    """
    shard, reader = dataset.shards(split)[index], RecordReader(dataset)
    records = read_records(dataset.shard_path(split, index), shard.records)
    for number, data in enumerate(records):
        if isinstance(data, BadRecord):
            raise bad_record(dataset, shard.file, number, data.reason)
        found = reader.parse(shard.file, number, data)
        if isinstance(found, ValueError):
            raise found
        yield data, found


def rows(dataset: DatasetDir, split: str, index: int) -> Iterator[Row]:
    """Streams a shard.

    Raises:
        ValueError: If a record is damaged.
    """
    for _, found in checked_records(dataset, split, index):
        features = found.features
        codes = {name: features.pop(name) for name in dataset.manifest.factors}
        yield Row(f"{index:05d}-{found.number:08d}", found.value, codes, _plain(features))


def _type_of(name: str, value: Any) -> str:
    if name in _PROVENANCE:
        return _PROVENANCE[name]
    if name.startswith(CONFIDENCE) or isinstance(value, float):
        return FLOAT
    types = {int: INTEGER, str: TEXT}
    if type(value) not in types:
        raise ValueError(
            f"Feature '{name}' cannot be exported. Expected: a text or a number. Received: "
            f"{type(value).__name__}. Write the data set without it."
        )
    return types[type(value)]


def _order(name: str) -> tuple[int, str]:
    """Returns the key by which columns are sorted: known ones first, in their order."""
    known = list(_PROVENANCE)
    return (known.index(name) if name in known else len(known)), name


def _plain(features: dict[str, Any]) -> dict[str, Any]:
    """Returns features in the types of their columns: a record with one donor has one text."""
    plain = {}
    for name, value in features.items():
        if _PROVENANCE.get(name) == TEXTS and not isinstance(value, list):
            value = [value]
        plain[name] = bool(value) if _PROVENANCE.get(name) == TRUTH else value
    return plain


def as_json(values: Any) -> str:
    """Returns values as JSON in one line; equal values give equal texts."""
    return json.dumps(values, ensure_ascii=False, separators=(", ", ": "))
