"""Compares what the files of a data set directory say about the same things."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

import yaml

from latentloom.augment import RECIPES, Coverage
from latentloom.pipeline.config.strict_yaml import load_yaml
from latentloom.pipeline.dataset.coverage_file import COVERAGE_FILE, read_change
from latentloom.pipeline.dataset.details import GeneratedDetails, ImportedDetails
from latentloom.pipeline.dataset.directory import (
    CONFIG_FILE,
    DEAD_LETTERS_FILE,
    MISSING,
    DatasetDir,
)
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.importing.outcome import LEFT_OUT, LISTED_LETTERS
from latentloom.pipeline.storage.files import file_size, open_binary, read_text
from latentloom.pipeline.verification.origins import generation_settings
from latentloom.pipeline.verification.problem import Problem

REPORT_FILE = "report.json"
_LETTER = {"shard", "record", "reason"}
_LONGEST_LINE = 1 << 20  # bytes
_Reasons = Iterator[str]


def check_consistency(dataset: DatasetDir, damaged: Collection[str]) -> list[Problem]:
    """Compares totals, details, dead letters, configuration and report of a data set.

    Args:
        dataset: The data set directory.
        damaged: Files that are missing or changed, which are not read.
    """
    manifest = dataset.manifest
    problems = [Problem(MANIFEST_FILE, reason) for reason in _totals(manifest)]
    if manifest.kind == "imported":
        return problems + [Problem(MANIFEST_FILE, reason) for reason in _import(manifest)]
    problems += [Problem(MANIFEST_FILE, reason) for reason in _generation(manifest)]
    checks: dict[str, Callable[[str, Manifest], _Reasons]] = {
        DEAD_LETTERS_FILE: _dead_letters,
        CONFIG_FILE: _config,
        REPORT_FILE: _report,
    }
    for file, check in checks.items():
        if file not in damaged:
            reasons = _read(check, os.path.join(dataset.path, file), manifest)
            problems += [Problem(file, reason) for reason in reasons]
    return problems


def read_coverage(
    dataset: DatasetDir, damaged: Collection[str]
) -> tuple[tuple[Coverage, Coverage] | None, list[Problem]]:
    """Reads the cells before and after generation, None without any; returns problems beside."""
    if COVERAGE_FILE in damaged:
        return None, []
    try:
        change = read_change(dataset.path)
        for coverage in change or ():
            _check_grid(coverage, dataset.manifest.factors)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        return None, [Problem(COVERAGE_FILE, f"cannot be read: {error}")]
    return change, []


def known_cells(
    dataset: DatasetDir, change: tuple[Coverage, Coverage] | None, damaged: Collection[str]
) -> Coverage | bool:
    """Returns the cells that the input has: all (True), or unknown (False).

    Args:
        dataset: The data set directory.
        change: The cells before and after generation, if they were counted.
        damaged: Files that are missing or changed.
    """
    if change is not None:
        return change[0]
    return bool(dataset.manifest.files) and COVERAGE_FILE not in damaged


def check_coverage(
    change: tuple[Coverage, Coverage] | None, made: Mapping[tuple[int, ...], int]
) -> list[Problem]:
    """Compares the change of the cells with the records of each cell."""
    if change is None:
        return []
    before, after = (Counter(coverage.counts) for coverage in change)
    if before + Counter(made) == after:
        return []
    return [Problem(COVERAGE_FILE, "counts other cells than the records have")]


def _check_grid(coverage: Coverage, factors: Mapping[str, list[str]]) -> None:
    for factor, values in coverage.names.items():
        if factors.get(factor) != list(values):
            raise ValueError(f"it has other values of factor '{factor}' than the manifest")


def _totals(manifest: Manifest) -> _Reasons:
    written, stated = sum(shard.records for shard in manifest.shards), manifest.totals["written"]
    if written != stated:
        yield f"states {stated} written examples, its shards have {written}"
    if negative := [name for name, count in manifest.totals.items() if count < 0]:
        yield f"states a negative number of {negative[0]} examples"


def _import(manifest: Manifest) -> _Reasons:
    """Compares totals with the dead and left-out examples of the import."""
    details, totals = ImportedDetails.read(manifest.details), manifest.totals
    letters, dead = len(details.dead_letters), totals["dead"]
    if letters != min(dead, LISTED_LETTERS):
        yield f"states {dead} dead examples and lists {letters}"
    left_out = sum(sum(splits.values()) for splits in details.left_out.values())
    if left_out != totals["rejected"]:
        yield f"states {totals['rejected']} rejected examples, its details '{LEFT_OUT}' {left_out}"


def _generation(manifest: Manifest) -> _Reasons:
    """Compares totals with the candidates and rejections of the generation."""
    details, totals = GeneratedDetails.read(manifest.details), manifest.totals
    if totals["dead"] and not details.unreadable_records:
        yield f"states {totals['dead']} dead variants, but no unreadable record"
    refused = sum(sum(reasons.values()) for reasons in details.rejections.values())
    if details.candidates != totals["written"] + refused:
        yield f"states {details.candidates} candidates for {totals['written'] + refused} verdicts"
    attempts, rejected = _attempts(manifest), totals["rejected"]
    later = refused - attempts * rejected  # rejections of variants that a later attempt replaced
    if attempts and not 0 <= later <= (attempts - 1) * totals["written"]:
        yield f"states {rejected} rejected variants, which {refused} rejections rule out"


def _attempts(manifest: Manifest) -> int:
    """Returns the largest number of draws of a variant; 0 if it is not recorded."""
    settings = generation_settings(manifest)
    gate, recipe = settings.get("gate"), settings.get("recipe")
    if recipe in RECIPES and RECIPES[recipe].keeps_all:
        return 1
    attempts = gate.get("attempts") if isinstance(gate, dict) else None
    return attempts if isinstance(attempts, int) else 0


def _read(check: Callable[[str, Manifest], _Reasons], path: str, manifest: Manifest) -> list[str]:
    """Returns what a check says of a file, or that it cannot be read."""
    try:
        return list(check(path, manifest))
    except (ValueError, TypeError, LookupError, RecursionError, yaml.YAMLError) as error:
        return [f"cannot be read: {error}"]


def _dead_letters(path: str, manifest: Manifest) -> _Reasons:
    """Reads one JSON object a line, and compares their number with the details."""
    if file_size(path) is None:
        yield MISSING
        return
    count, stated = 0, GeneratedDetails.read(manifest.details).unreadable_records
    with open_binary(path) as lines:
        while line := lines.readline(_LONGEST_LINE):
            letter = json.loads(line)
            if not isinstance(letter, dict) or set(letter) != _LETTER:
                raise ValueError(f"line {count + 1} is no dead letter")
            count += 1
    if count != stated:
        yield f"lists {count} unreadable records, the manifest states {stated}"


def _config(path: str, manifest: Manifest) -> _Reasons:
    """Compares the configuration with the one in the details."""
    if file_size(path) is None:
        yield MISSING
    elif load_yaml(read_text(path)) != manifest.details.get("config"):
        yield "holds another configuration than the manifest"


def _report(path: str, manifest: Manifest) -> _Reasons:
    """Compares what the report repeats of the manifest; a data set may have no report."""
    if file_size(path) is None:
        return
    report, details = json.loads(read_text(path)), GeneratedDetails.read(manifest.details)
    repeated = {
        "totals": manifest.totals,
        "rejections": details.rejections,
        "bundle_digest": details.bundle_digest,
        "shards": [shard.model_dump() for shard in manifest.shards],
    }
    for name, expected in repeated.items():
        if report.get(name, expected) != expected:
            yield f"states other {name.replace('_', ' ')} than the manifest"
