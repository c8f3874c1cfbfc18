"""Makes the metadata files that TFDS needs to read a directory, byte by byte as TFDS does.

TFDS itself would import TensorFlow.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from latentloom.pipeline.dataset.manifest import Manifest, ShardEntry
from latentloom.pipeline.dataset.writing import shard_file
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.observations.tfds_features import Feature, class_label, record, text

_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", re.ASCII)


def metadata_files(
    manifest: Manifest, extra_features: Mapping[str, Feature] | None = None
) -> dict[str, bytes]:
    """Returns the metadata files that `tfds.builder_from_directory` needs, by name.

    Args:
        manifest: The manifest of the directory.
        extra_features: Features of the records beyond observation, factors and `example_id`.

    Raises:
        ValueError: If TFDS cannot read such a directory.
    """
    _check(manifest)
    kind = KINDS[manifest.observation]
    features = {
        kind.feature: kind.tfds_feature(manifest.observation_shape),
        **{name: class_label(len(values)) for name, values in manifest.factors.items()},
        "example_id": text(),
        **(extra_features or {}),
    }
    files = {
        "dataset_info.json": json.dumps(_info(manifest, kind.feature), indent=2, sort_keys=True),
        "features.json": json.dumps(record(features), indent=4, sort_keys=True),
    }
    for name, values in manifest.factors.items():
        files[f"{name}.labels.txt"] = "\n".join(values) + "\n"
    return {name: content.encode() for name, content in sorted(files.items())}


def _info(manifest: Manifest, observation: str) -> dict[str, Any]:
    """Returns the message `DatasetInfo` as JSON, which leaves out what is empty."""
    description = str(manifest.source.get("description", manifest.name))
    keys = [{"featureKey": observation}, {"featureKey": "label"}]
    return _without_empty(
        {
            "description": textwrap.dedent(description).strip(),
            "fileFormat": "tfrecord",
            "name": manifest.name,
            "splits": [_split(name, shards) for name, shards in manifest.splits.items()],
            "supervisedKeys": {"tuple": {"items": keys}},
            "version": manifest.version,
        }
    )


def _split(name: str, shards: Sequence[ShardEntry]) -> dict[str, Any]:
    num_bytes = sum(shard.num_bytes for shard in shards)
    return _without_empty(
        {
            "filepathTemplate": _TEMPLATE,
            "name": name,
            "numBytes": str(num_bytes) if num_bytes else "",
            "shardLengths": [str(shard.records) for shard in shards],
        }
    )


def _without_empty(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value}


def _check(manifest: Manifest) -> None:
    """Rejects a manifest whose version or names of shards TFDS cannot read."""
    if not _VERSION.fullmatch(manifest.version):
        raise ValueError(
            f"The version of data set '{manifest.name}' is invalid. Expected: three numbers such "
            f"as 1.0.0. Received: version='{manifest.version}'. Correct it."
        )
    expected = [
        shard_file(manifest.name, split, index, len(shards))
        for split, shards in manifest.splits.items()
        for index in range(len(shards))
    ]
    found = [shard.file for shard in manifest.shards]
    if not found or found != expected:
        unlike = [pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1]]
        raise ValueError(
            f"The shards of data set '{manifest.name}' have other names than TFDS looks for. "
            f"Expected: {unlike[0][1] if unlike else 'at least one shard'}. "
            f"Received: {unlike[0][0] if unlike else 'none'}. Write the data set again."
        )
