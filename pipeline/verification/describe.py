"""Describes a data set directory or a model bundle from its manifest, and finds changed files."""

from __future__ import annotations

import os
from typing import Any

from latentloom.model_zoo.bundle_damage import read_unchecked
from latentloom.model_zoo.bundle_files import DESCRIPTION
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import Location, exists, local_folder
from latentloom.pipeline.verification.listed_files import check_listed, check_listed_of_bundle
from latentloom.pipeline.verification.problem import Problem


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Describes a directory without reading records or weights.

    Args:
        path: A data set directory or a model bundle.

    Returns:
        For a bundle, the contents of its `bundle.json` with `kind` "bundle". For a data set,
        `kind`, `name`, `version`, `image_shape`, `factors`, `splits` (examples, shards, bytes and
        label counts of each), `files` (bytes of each), `totals`, `source`, `versions` and
        `details`.

    Raises:
        FileNotFoundError: If it is neither.
        ValueError: If its manifest or `bundle.json` is invalid.
    """
    path = os.fspath(path)
    if exists(os.path.join(path, MANIFEST_FILE)):
        return _describe_dataset(Manifest.read(os.path.join(path, MANIFEST_FILE)))
    if is_bundle(path):
        with local_folder(path) as folder:
            return {"kind": "bundle", **read_unchecked(folder)}
    raise FileNotFoundError(
        f"'{path}' is neither a data set directory nor a model bundle. Expected: a folder with "
        f"{MANIFEST_FILE} or {DESCRIPTION}. Received: path='{path}'. Check the path."
    )


def is_bundle(path: Location) -> bool:
    """Returns whether a directory is a model bundle rather than a data set."""
    holds = [exists(os.path.join(path, file)) for file in (MANIFEST_FILE, DESCRIPTION)]
    return holds == [False, True]


def find_changes(path: Location) -> list[Problem]:
    """Finds files of a described directory that differ from its manifest; reads no records.

    Compares the sizes of all files, and the digests of all files except shards.

    Args:
        path: A data set directory or a model bundle.
    """
    path = os.fspath(path)
    if not is_bundle(path):
        return check_listed(DatasetDir(path, Manifest.read(os.path.join(path, MANIFEST_FILE))))
    with local_folder(path) as folder:
        return check_listed_of_bundle(folder)


def _describe_dataset(manifest: Manifest) -> dict[str, Any]:
    splits = {
        split: {
            "examples": manifest.num_examples(split),
            "shards": len(shards),
            "bytes": sum(shard.num_bytes for shard in shards),
            "labels": manifest.label_counts(split),
        }
        for split, shards in manifest.splits.items()
    }
    files = {name: entry.num_bytes for name, entry in manifest.files.items()}
    described = manifest.model_dump(exclude={"splits", "files", "schema_version"})
    return described | {"splits": splits, "files": files}
