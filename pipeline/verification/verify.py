"""Checks a data set directory against its manifest: every file, byte by byte, record by record."""

from __future__ import annotations

import os
from dataclasses import dataclass

from latentloom.pipeline.dataset.coverage_file import COVERAGE_FILE
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import file_size
from latentloom.pipeline.verification.claims import check_claims, check_held_out
from latentloom.pipeline.verification.consistency import (
    check_consistency,
    check_coverage,
    known_cells,
    read_coverage,
)
from latentloom.pipeline.verification.identities import find_repeated
from latentloom.pipeline.verification.listed_files import check_listed, check_strangers
from latentloom.pipeline.verification.origins import Source
from latentloom.pipeline.verification.problem import Problem, Verification
from latentloom.pipeline.verification.record_checks import ProvenanceRules, RecordChecks
from latentloom.pipeline.verification.tfds_check import check_metadata, judged_factors


@dataclass(frozen=True)
class DatasetVerification(Verification):
    """The result of a check of a data set.

    Args:
        shards: Number of shards checked.
        records: Number of intact records found.
    """

    shards: int
    records: int


def verify(
    path: str | os.PathLike[str], data: str | os.PathLike[str] | None = None
) -> DatasetVerification:
    """Checks that a directory holds exactly what its manifest says.

    Every file is listed and has its size and hash; every record is intact, fits the manifest, has
    an id of its own and, if generated, its provenance. TFDS metadata, totals, dead letters,
    coverage, configuration and report agree with the manifest. Memory grows by 8 bytes a record.

    Args:
        path: A data set directory.
        data: The data set that it was generated from, to look for anchors and donors in.

    Raises:
        FileNotFoundError: If a manifest is missing, or a file of `data`.
        ValueError: If `path` was not generated, but `data` is given, or `data` is invalid.
    """
    path = os.fspath(path)
    try:
        dataset = DatasetDir(path, Manifest.read(os.path.join(path, MANIFEST_FILE)))
    except (ValueError, RecursionError) as error:
        problem = Problem(MANIFEST_FILE, f"cannot be read: {error}")
        return DatasetVerification(path, "", (problem,), 0, 0)
    source = _open_source(dataset, data)
    problems = check_listed(dataset)
    damaged = {problem.file for problem in problems}
    judged = judged_factors(dataset, damaged)
    problems += check_metadata(dataset, judged, damaged)
    problems += check_consistency(dataset, damaged)
    problems += check_claims(dataset, damaged)
    problems += source.check(dataset.manifest) if source else []
    source = source if source and source.is_read else None
    change, unreadable = read_coverage(dataset, damaged)
    seen = known_cells(dataset, change, damaged | {problem.file for problem in unreadable})
    generated = dataset.manifest.kind == "generated"
    problems += check_held_out(dataset.manifest, seen) if generated else []
    if source and not source.agrees(change):
        problems.append(Problem(COVERAGE_FILE, f"began with other cells than '{data}' has"))
    rules = ProvenanceRules.of(dataset, judged, seen) if generated else None
    checks = RecordChecks(dataset, rules, source)
    of_records = _check_records(dataset, checks)
    if rules and not of_records and checks.shards == len(dataset.manifest.shards):
        of_records = check_coverage(change, rules.made) + rules.check_rejected()
    found = (*problems, *unreadable, *of_records, *check_strangers(dataset))
    contents = f"{checks.records:,} records in {checks.shards} shards"
    return DatasetVerification(path, contents, found, checks.shards, checks.records)


def _check_records(dataset: DatasetDir, checks: RecordChecks) -> list[Problem]:
    """Checks the shards that are there, and that no id occurs twice."""
    problems = []
    for split, entries in dataset.splits.items():
        for index in range(len(entries)):
            if file_size(dataset.shard_path(split, index)) is not None:
                problems += checks.check_shard(split, index)
    return problems + find_repeated(dataset, checks.ids.repeated())


def _open_source(dataset: DatasetDir, data: str | os.PathLike[str] | None) -> Source | None:
    """Opens the data set that another one was generated from, if it is given."""
    if data is None:
        return None
    if dataset.manifest.kind != "generated":
        raise ValueError(
            f"Data set '{dataset.path}' was not generated. Expected: a data set of variants to "
            f"look up in the data. Received: kind='{dataset.manifest.kind}'. Leave out --data."
        )
    return Source(data)
