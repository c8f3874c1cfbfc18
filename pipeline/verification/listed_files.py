"""Compares the files of a data set or a bundle with those that its description lists."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from latentloom.model_zoo.bundle_damage import find_damage
from latentloom.model_zoo.bundle_files import (
    DESCRIPTION,
    REALISM,
    parse_description,
    weight_files,
)
from latentloom.pipeline.dataset.announcement import is_unchanged
from latentloom.pipeline.dataset.details import CURVES_FILE, HISTORY_FILE, BundleDetails
from latentloom.pipeline.dataset.directory import CONFIG_FILE, MISSING, DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.dataset.own_files import DATA_SET
from latentloom.pipeline.storage.files import (
    Location,
    file_size,
    is_folder,
    list_names,
    sha256_file,
    walk,
)
from latentloom.pipeline.storage.locks import LOCK_FILE, left_in
from latentloom.pipeline.storage.output_directories import STAGING
from latentloom.pipeline.storage.ownership import matches
from latentloom.pipeline.verification.problem import OTHER_HASH, Problem

_OF_TRAINING = (".*.json.tmp", ".*.tmp.weights.h5")
_STATE = "train_state"  # of a training under way


def check_listed(dataset: DatasetDir) -> list[Problem]:
    """Finds listed files that are missing, have another size or, beside shards, another hash."""
    problems = [Problem(*found) for found in dataset.missing_or_resized(every_file=True)]
    unlike = {problem.file for problem in problems}
    for name, entry in dataset.manifest.files.items():
        if name not in unlike and sha256_file(os.path.join(dataset.path, name)) != entry.sha256:
            problems.append(Problem(name, OTHER_HASH))
    return problems


def check_listed_of_bundle(folder: Path) -> list[Problem]:
    """Finds files of a bundle that are missing or not what was saved; loads nothing.

    Raises:
        ValueError: If `bundle.json` is not JSON.
    """
    problems = [Problem(file, reason) for file, reason in find_damage(folder).items()]
    description, _ = parse_description(folder / DESCRIPTION)
    try:
        details = BundleDetails.read(description["details"])
    except (ValueError, TypeError, LookupError):  # told by whoever reads them
        return problems
    for name, entry in details.files.items():
        if not (folder / name).is_file():
            problems.append(Problem(name, MISSING))
        elif not is_unchanged(folder / name, entry):
            problems.append(Problem(name, f"does not match the digest in {DESCRIPTION}"))
    is_listed = CONFIG_FILE in details.files
    if details.config and not is_listed and not (folder / CONFIG_FILE).is_file():
        problems.append(Problem(CONFIG_FILE, MISSING))
    return problems


def check_strangers(dataset: DatasetDir) -> list[Problem]:
    """Finds files and folders that the manifest does not list, hidden or not.

    A manifest of an older version lists only shards, so only shards can be strangers to it.
    """
    files = dataset.manifest.files
    listed = {MANIFEST_FILE, *files, *(shard.file for shard in dataset.manifest.shards)}
    found = _strangers(dataset.path, listed, DATA_SET.patterns)
    strangers = [name for name in found if files or ".tfrecord" in name.partition("/")[0]]
    return [Problem(name, "is not in the manifest") for name in strangers]


def check_strangers_to_bundle(folder: Path) -> list[Problem]:
    """Finds files and folders of a bundle that `train` does not write, hidden or not."""
    listed = {DESCRIPTION, *weight_files(), REALISM, CONFIG_FILE, HISTORY_FILE, CURVES_FILE}
    listed |= {_STATE} if _is_lock(os.fspath(folder)) else set()
    found = _strangers(folder, listed, _OF_TRAINING)
    return [Problem(name, "is no file of a bundle") for name in found]


def _strangers(path: Location, listed: Collection[str], of_runs: Collection[str]) -> list[str]:
    """Returns names that are not listed; of hidden ones, the first file that is not of a run.

    Args:
        path: The directory.
        listed: Names of its own files.
        of_runs: Patterns of the hidden files of its runs.
    """
    path = os.fspath(path)
    is_locked = _is_lock(path)
    found = []
    for name in list_names(path):
        if name in listed or (name == LOCK_FILE and is_locked):
            continue
        if not name.startswith("."):
            found.append(name)
        elif name != STAGING or not is_locked:
            found += [file for file in _files(path, name) if not matches(file, of_runs)][:1]
    return found


def _files(path: str, name: str) -> list[str]:
    """Returns the files of a folder, relative to its parent, or the file itself."""
    place = os.path.join(path, name)
    return [f"{name}/{file}" for file in walk(place)] if is_folder(place) else [name]


def _is_lock(path: str) -> bool:
    """Returns whether a directory has the lock of a run; one that has just begun is empty."""
    return file_size(os.path.join(path, LOCK_FILE)) == 0 or left_in(path) is not None
