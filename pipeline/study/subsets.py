"""Draws the real examples of a study, equally many of every class; writes them as a data set."""

from __future__ import annotations

import os

import numpy as np

from latentloom.augment import identity_keys
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest, library_versions
from latentloom.pipeline.dataset.own_files import DATA_SET
from latentloom.pipeline.dataset.sampling import rank_in_class
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import (
    example_records,
    shard_entry,
    shard_file,
    write_manifest,
)
from latentloom.pipeline.storage.output_directories import replaced_when_complete
from latentloom.pipeline.storage.tfrecords import ShardWriter


def draw_subset(examples: Examples, size: int | None, seed: int) -> np.ndarray:
    """Draws equally many examples of every class; the draw does not depend on their order.

    A larger subset of the same seed contains the smaller ones.

    Args:
        examples: The training split.
        size: Examples of each class; None for all examples.
        seed: Seed of the draw.

    Returns:
        Rows, int64, in the order of the draw, which alternates between classes.

    Raises:
        ValueError: A class has too few examples.
    """
    rank = rank_in_class(identity_keys(seed, "study subset", examples.ids), examples.labels)
    order = np.lexsort((examples.labels, rank))
    if size is None:
        return order
    counts = np.bincount(examples.labels)
    if counts[counts > 0].min() < size:
        raise ValueError(
            f"The smallest class has too few examples. Expected: {size} or more of every class. "
            f"Received: {counts[counts > 0].min()}. Lower `study.sizes`."
        )
    return order[rank[order] < size]


def write_subset(
    source: DatasetDir, examples: Examples, out: str | os.PathLike[str], seed: int
) -> DatasetDir:
    """Writes training examples, with their ids, as a data set directory with the split `train`."""
    manifest = source.manifest
    with replaced_when_complete(os.fspath(out), DATA_SET, last=MANIFEST_FILE) as folder:
        file = shard_file(manifest.name, "train", 0, 1)
        with ShardWriter(os.path.join(folder, file)) as writer:
            for record in example_records(source.observation_kind, examples, examples.ids):
                writer.write(record)
        counts = np.bincount(examples.labels, minlength=len(manifest.class_names))
        shard = shard_entry(writer, file, counts.tolist())
        total = {"requested": len(examples), "written": len(examples), "rejected": 0, "dead": 0}
        subset = Manifest(
            kind="imported",
            name=manifest.name,
            observation=manifest.observation,
            observation_shape=manifest.observation_shape,
            factors=manifest.factors,
            vocabulary=manifest.vocabulary,
            splits={"train": [shard]},
            source={
                "description": f"{len(examples):,} examples of '{manifest.name}'.",
                "data": manifest.name,
                "seed": seed,
            },
            versions=library_versions(),
            totals=total,
        )
        write_manifest(folder, subset, metadata_files(subset))
    return DatasetDir.open(out)
