"""The files of a bundle's directory, for those who may replace it: known by what is in them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from latentloom.model_zoo.bundle_files import DESCRIPTION, REALISM, weight_files
from latentloom.pipeline.dataset.announcement import Announcement, check_own, unchanged
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.ownership import OutputKind, has_keys, read_object

STATE_FOLDER = "train_state"
RUN_FILE = "run.json"
ANNOUNCED = f"{STATE_FOLDER}/files.json"
"""Lists the files beside the weights while they are written, before the description does."""
_TEMPORARY = (".*.json.tmp", ".*.tmp.weights.h5")
_FILES = (DESCRIPTION, *weight_files(), REALISM, *_TEMPORARY)
STATE_FILES = (
    *(f"{STATE_FOLDER}/{name}" for name in (RUN_FILE, "state.json", "*.weights.h5", *_TEMPORARY)),
    ANNOUNCED,
)
"""Patterns of what a training keeps until it ends."""


def write_beside(out: str | os.PathLike[str], files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """Writes the files beside the weights of a training; announces them first.

    Raises:
        FileExistsError: Somebody else wrote or changed a file of one of the names.
    """
    entries = {name: FileEntry.of(data) for name, data in files.items()}
    check_own(out, entries, unchanged(out, _announced(out)))
    Announcement(files=entries).write(os.path.join(out, ANNOUNCED))
    for name, data in files.items():
        write_atomic(os.path.join(out, name), data)
    return entries


def _listed(path: str) -> Collection[str] | None:
    description = read_object(os.path.join(path, DESCRIPTION))
    known = has_keys(description, ("schema_version", "model", "files", "digest", "details"))
    files = description["files"] if known else None
    if not isinstance(files, dict) or set(files) - {REALISM} != set(weight_files()):
        return None
    try:
        beside = BundleDetails.read(description["details"]).files
    except (ValueError, TypeError):
        beside = {}
    return (*_FILES, *STATE_FILES, *unchanged(path, {**beside}))


def _announced(path: str | os.PathLike[str]) -> dict[str, FileEntry]:
    return Announcement.read(os.path.join(path, ANNOUNCED)).files


BUNDLE = OutputKind(
    name="bundle",
    listed=_listed,
    patterns=(*_FILES, *STATE_FILES),
    markers={f"{STATE_FOLDER}/{RUN_FILE}": ("config", "data", "backend")},
    announced=lambda path: unchanged(path, _announced(path)),
)
"""What `train` writes."""
