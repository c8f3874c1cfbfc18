"""Makes the metadata files that TFDS needs to read a directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.observations import KINDS


def metadata_files(
    manifest: Manifest, extra_features: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """Returns the metadata files that `tfds.builder_from_directory` needs, by name.

    Args:
        manifest: The manifest of the directory.
        extra_features: TFDS features of the records beyond observation, factors and `example_id`.
    """
    import tensorflow_datasets as tfds

    kind = KINDS[manifest.observation]
    features = {
        kind.feature: kind.tfds_feature(manifest.observation_shape),
        **{n: tfds.features.ClassLabel(names=values) for n, values in manifest.factors.items()},
        "example_id": tfds.features.Text(),
        **(extra_features or {}),
    }
    splits = [
        tfds.core.SplitInfo(
            name=split,
            shard_lengths=[shard.records for shard in shards],
            num_bytes=sum(shard.num_bytes for shard in shards),
        )
        for split, shards in manifest.splits.items()
    ]
    with tempfile.TemporaryDirectory(prefix="latentloom-") as folder:  # TFDS writes few schemes
        shards = {shard.file for shard in manifest.shards}
        for shard in shards:
            Path(folder, shard).touch()  # TFDS looks for their names
        tfds.folder_dataset.write_metadata(
            data_dir=folder,
            features=features,
            split_infos=splits,
            version=manifest.version,
            check_data=False,
            description=str(manifest.source.get("description", manifest.name)),
            supervised_keys=(kind.feature, "label"),
        )
        names = sorted(set(os.listdir(folder)) - shards)
        return {name: Path(folder, name).read_bytes() for name in names}
