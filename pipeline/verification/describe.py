"""Describes a data set directory or a model bundle from its manifest."""

from __future__ import annotations

import os
from typing import Any

from latentloom.model_zoo.bundle import DESCRIPTION, read_description
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import exists, local_folder


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Describes a directory without reading records or weights.

    Args:
        path: A data set directory or a model bundle.

    Returns:
        For a bundle, the contents of its `bundle.json` with `kind` "bundle". For a data set,
        `kind`, `name`, `version`, `image_shape`, `factors`, `splits` (examples, shards, bytes and
        label counts of each), `totals`, `source`, `versions` and `details`.

    Raises:
        FileNotFoundError: If it is neither.
        ValueError: If the manifest or the description of the bundle is damaged.
    """
    path = os.fspath(path)
    if exists(os.path.join(path, MANIFEST_FILE)):
        return _describe_dataset(Manifest.read(os.path.join(path, MANIFEST_FILE)))
    if exists(os.path.join(path, DESCRIPTION)):
        with local_folder(path) as folder:
            return {"kind": "bundle", **read_description(folder)}
    raise FileNotFoundError(
        f"'{path}' is neither a data set directory nor a model bundle. Expected: a folder with "
        f"{MANIFEST_FILE} or {DESCRIPTION}. Received: path='{path}'. Check the path."
    )


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
    return manifest.model_dump(exclude={"splits", "schema_version"}) | {"splits": splits}
