"""Where the records of TFRecord files begin: found by one scan, kept in a file if asked for."""

from __future__ import annotations

import io
import itertools
import os
from array import array
from collections.abc import Sequence

import numpy as np

from latentloom.model_zoo.archives import read_arrays, read_headers
from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import file_size, open_binary
from latentloom.pipeline.storage.tfrecords import FRAME, FrameReader

_KEPT = {"digest", "offsets"}


def find_offsets(path: str, records: int) -> np.ndarray:
    """Scans the lengths of the records of a TFRecord file, and checks their checksums.

    Reads 12 bytes of each record, and takes 8 bytes of memory for it.

    Args:
        path: Path of the file, not packed.
        records: Integer, number of records that the file should have.

    Returns:
        Where each record begins and where the last one ends, int64 of shape `(records + 1,)`.

    Raises:
        OSError: The file is missing or cannot be opened.
        ValueError: A length is damaged, or the file has another number of records.
    """
    size, offsets = file_size(path) or 0, array("q", [0])
    with open_binary(path) as stream:
        reader = FrameReader(stream, size)
        while len(offsets) <= records and not (end := reader.next(skips=True)[1]):
            offsets.append(size - reader.left)
    if len(offsets) <= records or reader.left:
        found = end if len(offsets) <= records else f"{reader.left} bytes after the last record"
        raise ValueError(
            f"The shard '{path}' cannot be indexed. Expected: {records} records. Received: "
            f"{len(offsets) - 1} records, then: {found}. Run `latentloom verify` for its folder, "
            "and write the data set again."
        )
    return np.frombuffer(offsets, np.int64)


def write_offsets(path: str, digest: str, offsets: Sequence[np.ndarray]) -> None:
    """Writes the offsets of the records of several files atomically, as an npz archive.

    Args:
        path: Path of the archive.
        digest: Hexadecimal SHA-256 that identifies the files.
        offsets: For each file, what `find_offsets` returns.
    """
    archive, key = io.BytesIO(), np.frombuffer(bytes.fromhex(digest), np.uint8)
    np.savez(archive, digest=key, offsets=np.concatenate([np.zeros(0, np.int64), *offsets]))
    write_atomic(path, archive.getvalue())


def read_offsets(path: str, digest: str, files: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Reads what `write_offsets` wrote.

    Args:
        path: Path of the archive.
        digest: Hexadecimal SHA-256 that identifies the files.
        files: Number of records and size in bytes of each file.

    Returns:
        For each file, what `find_offsets` returns.

    Raises:
        ValueError: The archive is damaged, or belongs to other files.
    """
    lengths = [records + 1 for records, _ in files]
    expected, fix = "an index of the records of this data set", "Remove it to have it made again."
    with told_of_file(path, expected, fix), open(path, "rb") as archive:
        _check_headers(archive, path, sum(lengths))
        archive.seek(os.SEEK_SET)
        arrays = read_arrays(archive, path)
        if arrays["digest"].tobytes().hex() != digest:
            raise ValueError("it is an index of other shards")
        ends = itertools.accumulate(lengths)
        found = [arrays["offsets"][end - n : end] for end, n in zip(ends, lengths, strict=True)]
        for offsets, (_, size) in zip(found, files, strict=True):
            fits = offsets[0] == 0 and offsets[-1] == size and (np.diff(offsets) >= FRAME).all()
            if not fits:
                raise ValueError("its offsets do not fit the sizes of the shards")
    return found


def _check_headers(archive: io.BufferedReader, path: str, total: int) -> None:
    """Checks shapes and types before any array is read."""
    headers = read_headers(archive, path)
    found = {name: (header.shape, header.dtype) for name, header in headers.items()}
    if found != {"digest": ((32,), np.dtype("u1")), "offsets": ((total,), np.dtype("i8"))}:
        raise ValueError(f"it has other arrays than {sorted(_KEPT)} of {total} records and files")
