"""Holds what the manifest says of a data set's origin against other files of its directory."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping

from latentloom.augment import Coverage, HoldOut
from latentloom.pipeline.dataset.card_facts import CARD_FILE, card_facts
from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.entries import ShardEntry
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.dataset.writing import shard_file
from latentloom.pipeline.storage.files import file_size, read_text
from latentloom.pipeline.verification.origins import generation_settings
from latentloom.pipeline.verification.problem import Problem

JOB_FOLDER, JOB_FILE = ".job", "job.json"
_ROW = re.compile(r"^\| ([^|]+) \| (.*) \|$", re.MULTILINE)
_SHA256 = re.compile("[0-9a-f]{64}")
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
_Reasons = Iterator[str]


def check_claims(dataset: DatasetDir, damaged: Collection[str]) -> list[Problem]:
    """Compares name, origin and job of a data set with names of files, its card and its job.

    A card of an older version repeats less, and a copy may lack the folder of the job: what is not
    there is not compared.

    Args:
        dataset: The data set directory.
        damaged: Files that are missing or changed, which are not read.
    """
    manifest = dataset.manifest
    problems = [Problem(MANIFEST_FILE, reason) for reason in _names(manifest)]
    if manifest.kind == "imported":
        return problems
    problems += [Problem(MANIFEST_FILE, reason) for reason in _origin(manifest)]
    checks: dict[str, Callable[[str, Manifest], _Reasons]] = {}
    if CARD_FILE not in damaged:
        checks[CARD_FILE] = _card
    checks[f"{JOB_FOLDER}/{JOB_FILE}"] = _job
    job = GeneratedDetails.read(manifest.details).job
    for shard in manifest.shards:
        report = functools.partial(_shard_report, shard, job)
        checks[f"{JOB_FOLDER}/{shard.file}.json"] = report
    for file, check in checks.items():
        path = os.path.join(dataset.path, file)
        if file_size(path) is not None:
            problems += [Problem(file, reason) for reason in _read(check, path, manifest)]
    return problems


def check_held_out(manifest: Manifest, seen: Coverage | bool) -> list[Problem]:
    """Checks that held-out cells are of the factors, and that the input was counted without them.

    Args:
        manifest: Manifest of a generated data set.
        seen: Cells of the input data, or whether all are known.
    """
    try:
        groups = HoldOut.from_dict(GeneratedDetails.read(manifest.details).hold_out).groups
    except _UNREADABLE as error:
        return [Problem(MANIFEST_FILE, f"has held-out cells that cannot be read: {error}")]
    reasons = []
    for name, group in groups.items():
        for factor, values in group.names.items():
            if manifest.factors.get(factor, list(values)) != list(values):
                reasons.append(f"holds out '{name}' by other values of '{factor}' than it has")
        if isinstance(seen, Coverage) and set(group.names) <= set(seen.names):
            counted = seen.over(list(group.names))
            places = [list(group.names).index(factor) for factor in counted.names]
            if any(tuple(cell[p] for p in places) in counted.counts for cell in group.counts):
                reasons.append(f"holds out '{name}', which coverage.json counts")
    return [Problem(MANIFEST_FILE, reason) for reason in reasons]


def _names(manifest: Manifest) -> _Reasons:
    """Compares the names of the shards with the name of the data set, splits and numbers."""
    for split, shards in manifest.splits.items():
        for index, shard in enumerate(shards):
            expected = shard_file(manifest.name, split, index, len(shards))
            if shard.file != expected:
                yield f"lists the shard '{shard.file}' in the place of '{expected}'"
                return


def _origin(manifest: Manifest) -> _Reasons:
    """Compares source, recipe and split with the name and the shards."""
    settings, source = generation_settings(manifest), manifest.source
    if "recipe" in settings and "data" in source:
        expected = f"{source['data']}_{settings['recipe']}"
        if manifest.name != expected:
            yield f"has the name '{manifest.name}', its source and its recipe give '{expected}'"
    if "split" in settings and list(manifest.splits) != [settings["split"]]:
        yield f"has the splits {list(manifest.splits)}, its job made '{settings['split']}'"
    used = source.get("shards", [])
    if not isinstance(used, list) or not all(_SHA256.fullmatch(str(sha)) for sha in used):
        yield "has a source whose shards are no SHA-256"
    elif not used and "shards" in source:
        yield "has no shards of its source"
    elif used and len(used) != len(manifest.shards):
        yield f"has {len(manifest.shards)} shards, its source has {len(used)} for them"


def _read(check: Callable[[str, Manifest], _Reasons], path: str, manifest: Manifest) -> list[str]:
    try:
        return list(check(path, manifest))
    except _UNREADABLE as error:
        return [f"cannot be read: {error}"]


def _card(path: str, manifest: Manifest) -> _Reasons:
    text = read_text(path)
    if text.partition("\n")[0] != f"# {manifest.name}":
        yield "has another title than the manifest"
    rows = dict(_ROW.findall(text))
    for heading, fact in card_facts(manifest).items():
        if rows.get(heading, fact) != fact:
            yield f"states another '{heading}' than the manifest"


def _job(path: str, manifest: Manifest) -> _Reasons:
    if _read_object(path).get("digest") != GeneratedDetails.read(manifest.details).job:
        yield "is of another job than the manifest"


def _shard_report(shard: ShardEntry, job: str, path: str, manifest: Manifest) -> _Reasons:
    report = _read_object(path)
    if report.get("job") != job:
        yield "is of another job than the manifest"
    if report.get("entry") != shard.model_dump():
        yield f"says that the job wrote another '{shard.file}' than the manifest lists"


def _read_object(path: str) -> Mapping[str, object]:
    found = json.loads(read_text(path))
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found
