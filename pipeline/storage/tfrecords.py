"""Reads TFRecord files past damage, and writes shards atomically."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import google_crc32c

from latentloom.pipeline.storage.atomic_files import AtomicFile
from latentloom.pipeline.storage.files import open_binary

_END = "the file ends before it"


@dataclass(frozen=True)
class BadRecord:
    """An unreadable record, at its position in the file.

    Args:
        index: Integer, position of the record in its file, from 0.
        reason: String, the reason why it is unreadable.
    """

    index: int
    reason: str


def read_records(
    path: str | os.PathLike[str],
    expected: int | None = None,
    *,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[bytes | BadRecord]:
    """Streams the records of a TFRecord file, with a `BadRecord` in place of each damaged one.

    A wrong checksum of the data costs one record. A wrong checksum of a length, or a truncated end,
    ends the reading: each record still missing is one `BadRecord`.

    Args:
        path: Path of an uncompressed TFRecord file, local or in a bucket.
        expected: Integer, number of records that the file should have. By default, all records lost
            at the end count as one.
        start: Integer, the first record to read; skips earlier ones unread.
        stop: Integer, the record to stop before; by default all are read.

    Yields:
        The bytes of a record, or a `BadRecord`.
    """
    index = 0
    with open_binary(path) as stream:
        while stop is None or index < stop:
            record, end = _skip_record(stream) if index < start else _read_record(stream)
            if end:
                break
            if index >= start:
                good = record is not None
                reason = "the checksum of its data does not match"
                yield record if good else BadRecord(index, reason)
            index += 1
        else:
            return
    known = index if end == _END else index + 1
    for lost in range(max(index, start), min(max(known, expected or 0), stop or sys.maxsize)):
        yield BadRecord(lost, end)


def _read_length(stream: IO[bytes]) -> tuple[int, str]:
    """Reads the length of a record and, if reading must stop, the reason."""
    header = stream.read(12)
    if not header:
        return 0, _END
    if len(header) < 12:
        return 0, "the file is truncated in the length of a record"
    if header[8:] != _masked_crc(header[:8]):
        return 0, "the checksum of a record's length does not match"
    return struct.unpack("<Q", header[:8])[0], ""


def _skip_record(stream: IO[bytes]) -> tuple[None, str]:
    """Skips one record; returns None and, if reading must stop, the reason."""
    length, end = _read_length(stream)
    if not end:
        stream.seek(length + 4, os.SEEK_CUR)
    return None, end


def _read_record(stream: IO[bytes]) -> tuple[bytes | None, str]:
    """Reads one record: its data (None if damaged) and, if reading must stop, the reason."""
    length, end = _read_length(stream)
    if end:
        return None, end
    data, checksum = stream.read(length), stream.read(4)
    if len(data) + len(checksum) < length + 4:
        return None, "the file is truncated inside a record"
    return (data if checksum == _masked_crc(data) else None), ""


class ShardWriter(AtomicFile):
    """Writes one TFRecord shard atomically and keeps its `records`, `num_bytes` and `sha256`.

    Example:
        >>> with ShardWriter("a-train.tfrecord-00000-of-00001") as shard:
        ...     shard.write(serialize({"label": 3}))
    """

    def __init__(self, path: str | os.PathLike[str]):
        super().__init__(path)
        self.records = 0

    def write(self, data: bytes) -> None:
        """Appends one record, framed."""
        super().write(frame(data))
        self.records += 1


def frame(record: bytes) -> bytes:
    """Puts one record into TFRecord framing: length, checksum, data, checksum."""
    length = struct.pack("<Q", len(record))
    return length + _masked_crc(length) + record + _masked_crc(record)


def _masked_crc(data: bytes) -> bytes:
    """Returns the checksum of TFRecord: CRC-32C, rotated and offset."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
