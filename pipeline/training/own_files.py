"""The files of a bundle's directory, for those who may replace it."""

from __future__ import annotations

import os
from collections.abc import Collection

from latentloom.model_zoo.bundle import DESCRIPTION, weight_files
from latentloom.pipeline.storage.ownership import OutputKind, has_keys, read_object

STATE_FOLDER = "train_state"
RUN_FILE = "run.json"
_TEMPORARY = (".*.json.tmp", ".*.tmp.weights.h5")
_FILES = (DESCRIPTION, *weight_files(), "config.yaml", "history.csv", "curves.png", *_TEMPORARY)
STATE_FILES = tuple(
    f"{STATE_FOLDER}/{name}" for name in (RUN_FILE, "state.json", "*.weights.h5", *_TEMPORARY)
)
"""Patterns of what a training keeps until it ends."""


def _listed(path: str) -> Collection[str] | None:
    description = read_object(os.path.join(path, DESCRIPTION))
    known = has_keys(description, ("schema_version", "model", "files", "digest"))
    files = description["files"] if known else None
    ours = isinstance(files, dict) and set(files) == set(weight_files())
    return (*_FILES, *STATE_FILES) if ours else None


BUNDLE = OutputKind(
    name="bundle",
    listed=_listed,
    patterns=(*_FILES, *STATE_FILES),
    markers={f"{STATE_FOLDER}/{RUN_FILE}": ("config", "data", "backend")},
)
"""What `train` writes."""
