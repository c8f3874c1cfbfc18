"""TFDS directories, written with TFDS alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from latentloom.pipeline.atomic_files import ShardWriter
from latentloom.pipeline.writing import shard_file


def write_directory(
    folder: Path, features: dict, values: dict[str, Any], name: str = "other"
) -> str:
    """Writes one split `train` of columns, nested as the features are; returns the source."""
    connectors = tfds.features.FeaturesDict(features)
    count = len(values["image"])
    folder.mkdir(parents=True)
    with ShardWriter(folder / shard_file(name, "train", 0, 1)) as writer:
        for row in range(count):
            writer.write(connectors.serialize_example(row_of(values, row)))
    split = tfds.core.SplitInfo(name="train", shard_lengths=[count], num_bytes=writer.num_bytes)
    tfds.folder_dataset.write_metadata(
        data_dir=folder, features=connectors, split_infos=[split], check_data=False
    )
    return f"tfds:{folder}"


def row_of(values: dict[str, Any], row: int) -> dict[str, Any]:
    """The values of one example."""
    return {k: row_of(v, row) if isinstance(v, dict) else v[row] for k, v in values.items()}


def cifar10(folder: Path, count: int = 60) -> str:
    """Noise with the features of TFDS' `cifar10`."""
    features = {
        "id": tfds.features.Text(),
        "image": tfds.features.Image(shape=(32, 32, 3)),
        "label": tfds.features.ClassLabel(num_classes=10),
    }
    values = {
        "id": [f"train_{row:05d}" for row in range(count)],
        "image": np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
        "label": np.arange(count) % 10,
    }
    return write_directory(folder, features, values)


def celeb_a(folder: Path, count: int = 60) -> str:
    """Noise with the features of TFDS' `celeb_a`, but few of its 40 attributes."""
    rng = np.random.default_rng(0)
    names = ("5_o_Clock_Shadow", "Eyeglasses", "Male", "Smiling", "Young")
    features = {
        "image": tfds.features.Image(shape=(218, 178, 3), encoding_format="jpeg"),
        "attributes": {name: np.bool_ for name in names},
        "landmarks": {"nose_x": np.int64, "nose_y": np.int64},
        "identity": {"Identity_No": np.int64},
    }
    values = {
        "image": rng.integers(0, 256, (count, 218, 178, 3), dtype=np.uint8),
        "attributes": {name: rng.permutation(np.arange(count) % 2 == 0) for name in names},
        "landmarks": {name: rng.integers(80, 100, count) for name in ("nose_x", "nose_y")},
        "identity": {"Identity_No": rng.integers(1, 10178, count)},
    }
    return write_directory(folder, features, values)
