"""Writes a data set directory: records, names and entries of shards, and the files beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from latentloom.pipeline.dataset.announcement import Announcement, check_own, unchanged
from latentloom.pipeline.dataset.class_counts import ClassCounts
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest, ShardEntry
from latentloom.pipeline.dataset.own_files import ANNOUNCED, listed_beside
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.example_columns import serialize_columns
from latentloom.pipeline.storage.files import remove
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
        label_counts=ClassCounts(label_counts),
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
    that are unchanged, such as the report on a data set that a rerun completes again. Until the
    manifest is there, `ANNOUNCED` lists the files, so that a rerun knows its own.

    Args:
        folder: The directory.
        manifest: The manifest, still without files.
        files: Contents of the files, by name.

    Raises:
        FileExistsError: Somebody else wrote or changed a file of one of the names.
    """
    counts = manifest.files_of_counts()
    new = {name: FileEntry.of(data) for name, data in (*files.items(), *counts.items())}
    listed = listed_beside(folder)
    own = unchanged(folder, listed)
    check_own(folder, new, own)
    kept = {name: entry for name, entry in listed.items() if name in own}  # in the same order
    whole = manifest.model_copy(update={"files": kept | new})
    announced = os.path.join(folder, ANNOUNCED)
    Announcement(files=whole.files).write(announced)
    for name, data in files.items():
        write_atomic(os.path.join(folder, name), data)
    whole.write(os.path.join(folder, MANIFEST_FILE), counts)
    remove(announced)


def add_files(folder: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Writes more files into a complete directory, or replaces some.

    The manifest lists them first: a process that dies in between leaves files that `verify` names,
    and no file that the manifest does not know.

    Args:
        folder: The directory.
        files: Contents of the files, by name.

    Raises:
        FileExistsError: Somebody else wrote or changed a file of one of the names.
    """
    path = os.path.join(folder, MANIFEST_FILE)
    manifest = Manifest.read(path)
    entries = {name: FileEntry.of(data) for name, data in files.items()}
    replaced = {name: entry for name, entry in manifest.files.items() if name in entries}
    check_own(folder, entries, unchanged(folder, replaced))
    for name, entry in replaced.items():
        if entries[name] != entry:
            remove(os.path.join(folder, name))
    manifest.model_copy(update={"files": manifest.files | entries}).write(path)
    for name, data in files.items():
        write_atomic(os.path.join(folder, name), data)
