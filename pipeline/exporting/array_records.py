"""ArrayRecord files as TFDS and Grain read them: records in any order. Needs `array_record`."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from latentloom.pipeline.dataset.directory import METADATA_FILES, DatasetDir
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.exporting.rows import checked_records
from latentloom.pipeline.exporting.sinks import Files
from latentloom.pipeline.storage.atomic_files import os_errors, write_atomic
from latentloom.pipeline.storage.files import read_text, sha256_file

_OPTIONS = "group_size:1,uncompressed"
"""One record a chunk, so that one is read alone; a PNG gets no smaller."""
_INFO, _ = METADATA_FILES


def write_array_record(dataset: DatasetDir, folder: str, done: Callable[[int], None]) -> Files:
    """Writes one ArrayRecord file a shard, of the same records, and the metadata of TFDS.

    Args:
        dataset: The data set.
        folder: Where to write.
        done: Called with the number of records after each.

    Returns:
        The files.

    Raises:
        ValueError: If a record is damaged.
    """
    files = Files()
    for split, shards in dataset.splits.items():
        for index in range(len(shards)):
            name = array_record_file(dataset.manifest.name, split, index, len(shards))
            path = os.path.join(folder, name)
            with _writer(path) as write:
                for data, _ in checked_records(dataset, split, index):
                    write(data)
                    done(1)
            files[name] = FileEntry(num_bytes=os.path.getsize(path), sha256=sha256_file(path))
    for name, text in _metadata(dataset, files).items():
        write_atomic(os.path.join(folder, name), text)
        files[name] = FileEntry.of(text.encode())
    return files


def check_array_record() -> None:
    """Rejects an export without the library that it needs."""
    if importlib.util.find_spec("array_record") is None:
        raise ValueError(
            "The library of ArrayRecord is missing. Expected: array_record, for --to "
            "array_record. Received: not installed. Run "
            "`pip install 'latentloom[array_record]'`, or export with --to parquet."
        )


def array_record_file(name: str, split: str, index: int, count: int) -> str:
    """Returns the name of a file as TFDS looks for it."""
    return f"{name}-{split}.array_record-{index:05d}-of-{count:05d}"


@contextmanager
def _writer(path: str) -> Iterator[Callable[[bytes], Any]]:
    """Opens a file to be written; what the library says of the disk becomes an `OSError`."""
    from array_record.python.array_record_module import ArrayRecordWriter

    with os_errors(path):
        try:
            writer = ArrayRecordWriter(path, _OPTIONS)
            yield writer.write
            writer.close()
        except RuntimeError as error:
            raise OSError(errno.EIO, str(error)) from error


def _metadata(dataset: DatasetDir, files: Files) -> dict[str, str]:
    """Returns the metadata of TFDS by file name: that of the data set, with another format."""
    labels = [f"{name}.labels.txt" for name in dataset.manifest.factors]
    texts = {
        name: read_text(os.path.join(dataset.path, name)) for name in (*METADATA_FILES, *labels)
    }
    info = json.loads(texts[_INFO])
    info["fileFormat"] = "array_record"
    for split in info["splits"]:
        own = f"{dataset.manifest.name}-{split['name']}.array_record-"
        sizes = [entry.num_bytes for name, entry in files.items() if name.startswith(own)]
        split["numBytes"] = str(sum(sizes))
    texts[_INFO] = json.dumps(info, indent=2, sort_keys=True)
    return texts
