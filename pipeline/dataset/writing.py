"""Writes a data set directory: records, names and entries of shards, and the files beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest, ShardEntry
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.example_columns import serialize_columns
from latentloom.pipeline.storage.files import exists, file_size, sha256_file
from latentloom.pipeline.storage.tfrecords import ShardWriter


def shard_file(name: str, split: str, index: int, count: int) -> str:
    """Returns the TFDS file name of shard `index` (from 0) of `count`."""
    return f"{name}-{split}.tfrecord-{index:05d}-of-{count:05d}"


def shard_entry(writer: ShardWriter, file: str, label_counts: Sequence[int]) -> ShardEntry:
    """Returns the manifest entry of a written shard.

    Args:
        writer: The writer of the shard.
        file: Name of the shard.
        label_counts: Records of each class, by code.
    """
    return ShardEntry(
        file=file,
        records=writer.records,
        num_bytes=writer.num_bytes,
        sha256=writer.sha256,
        label_counts=list(label_counts),
    )


def example_records(kind: Kind, examples: Examples, ids: list[str]) -> list[bytes]:
    """Serializes a batch: the observation as its kind stores it, the factors and the id."""
    columns = {kind.feature: kind.encode(examples.observations), "example_id": ids}
    return serialize_columns({**columns, **examples.factors})


def write_manifest(
    folder: str | os.PathLike[str], manifest: Manifest, files: Mapping[str, bytes]
) -> None:
    """Completes a directory of shards: writes the files beside them, then the manifest.

    The manifest lists these files. It also lists the files of an earlier manifest of the directory
    that are unchanged, such as the report on a data set that a rerun completes again.

    Args:
        folder: The directory.
        manifest: The manifest, still without files.
        files: Contents of the files, by name.
    """
    entries = _unchanged_files(folder) | {name: FileEntry.of(data) for name, data in files.items()}
    for name, data in files.items():
        write_atomic(os.path.join(folder, name), data)
    manifest.model_copy(update={"files": entries}).write(os.path.join(folder, MANIFEST_FILE))


def add_files(folder: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Writes more files into a complete directory, or replaces some.

    The manifest lists them first: a process that dies in between leaves files that `verify` names,
    and no file that the manifest does not know.

    Args:
        folder: The directory.
        files: Contents of the files, by name.
    """
    path = os.path.join(folder, MANIFEST_FILE)
    manifest = Manifest.read(path)
    entries = {name: FileEntry.of(data) for name, data in files.items()}
    manifest.model_copy(update={"files": manifest.files | entries}).write(path)
    for name, data in files.items():
        write_atomic(os.path.join(folder, name), data)


def _unchanged_files(folder: str | os.PathLike[str]) -> dict[str, FileEntry]:
    """Returns the files that the manifest of a directory lists and that are as it says."""
    path = os.path.join(folder, MANIFEST_FILE)
    try:
        listed = Manifest.read(path).files if exists(path) else {}
    except ValueError:  # a damaged manifest is replaced
        listed = {}
    return {name: e for name, e in listed.items() if is_unchanged(os.path.join(folder, name), e)}


def is_unchanged(path: str | os.PathLike[str], entry: FileEntry) -> bool:
    """Returns whether a file has the size and the hash of its entry."""
    return file_size(path) == entry.num_bytes and sha256_file(path) == entry.sha256
