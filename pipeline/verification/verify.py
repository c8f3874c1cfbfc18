"""Checks a data set directory against its manifest, byte by byte and record by record."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.dataset.directory import MISSING, DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import list_names, read_text, sha256_file

_INFO = "dataset_info.json"


@dataclass(frozen=True)
class Problem:
    """A problem with a file of a data set directory."""

    file: str
    reason: str


@dataclass(frozen=True)
class Verification:
    """The result of a check: what was checked, and the problems found.

    Args:
        path: The directory.
        shards: Number of shards checked.
        records: Number of intact records found.
        problems: The problems; empty if the directory is intact.
    """

    path: str
    shards: int
    records: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether the directory is intact."""
        return not self.problems


def verify(path: str | os.PathLike[str]) -> Verification:
    """Checks sizes, hashes, checksums, images, counts and the TFDS metadata of a directory.

    Args:
        path: A data set directory.

    Raises:
        FileNotFoundError: If the manifest is missing.
        ValueError: If the manifest is invalid.
    """
    path = os.fspath(path)
    dataset = DatasetDir(path, Manifest.read(os.path.join(path, MANIFEST_FILE)))
    problems = [Problem(file, reason) for file, reason in dataset.missing_or_resized()]
    missing = {problem.file for problem in problems if problem.reason == MISSING}
    records = shards = 0
    for split, entries in dataset.splits.items():
        for index, entry in enumerate(entries):
            if entry.file not in missing:
                found, wrong = _check_shard(dataset, split, index)
                records, shards = records + found, shards + 1
                problems += wrong
    problems += _check_metadata(dataset) if _INFO not in missing else []
    problems += _check_totals(dataset.manifest) + _check_strangers(dataset)
    return Verification(path, shards, records, tuple(problems))


def _check_shard(dataset: DatasetDir, split: str, index: int) -> tuple[int, list[Problem]]:
    """Returns the number of intact records of a shard, and its problems."""
    entry = dataset.shards(split)[index]
    problems, records = [], 0
    counts = np.zeros(len(entry.label_counts), np.int64)
    if sha256_file(dataset.shard_path(split, index)) != entry.sha256:
        problems.append(Problem(entry.file, "has another SHA-256 than recorded"))
    for examples, dead in dataset.iter_shard(split, index):
        records += len(examples)
        counts += np.bincount(examples.labels, minlength=len(counts))
        problems += [Problem(entry.file, f"record {d.record}: {d.reason}") for d in dead]
    if records != entry.records:
        problems.append(Problem(entry.file, f"has {records} records instead of {entry.records}"))
    if counts.tolist() != entry.label_counts:
        problems.append(Problem(entry.file, "has other label counts than recorded"))
    return records, problems


def _check_metadata(dataset: DatasetDir) -> list[Problem]:
    """Compares the shard lengths that TFDS reads with the manifest."""
    text = read_text(os.path.join(dataset.path, _INFO))
    try:
        splits = json.loads(text)["splits"]
        lengths = {s["name"]: [int(n) for n in s["shardLengths"]] for s in splits}
    except (ValueError, KeyError, TypeError) as error:
        return [Problem(_INFO, f"cannot be read: {error}")]
    recorded = {split: [s.records for s in shards] for split, shards in dataset.splits.items()}
    return [] if lengths == recorded else [Problem(_INFO, "has other shard lengths than recorded")]


def _check_totals(manifest: Manifest) -> list[Problem]:
    written = sum(manifest.num_examples(split) for split in manifest.splits)
    if written == manifest.totals["written"]:
        return []
    stated = manifest.totals["written"]
    return [Problem(MANIFEST_FILE, f"states {stated} written examples, its shards have {written}")]


def _check_strangers(dataset: DatasetDir) -> list[Problem]:
    """Finds shards that the manifest does not list; TFDS would read them."""
    listed = {shard.file for shards in dataset.splits.values() for shard in shards}
    found = {file for file in list_names(dataset.path) if ".tfrecord" in file}
    strangers = sorted(file for file in found - listed if not file.startswith("."))
    return [Problem(file, "is not in the manifest") for file in strangers]
