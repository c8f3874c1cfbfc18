"""Reads TFRecord files past damage, and writes shards atomically."""

from __future__ import annotations

import functools
import io
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

import google_crc32c

from latentloom.pipeline.storage.atomic_files import AtomicFile
from latentloom.pipeline.storage.files import file_size, open_binary
from latentloom.pipeline.storage.inflating import Inflated, is_packed

HEADER, FRAME = 12, 16
"""Bytes before the data of a record, and bytes that it takes besides its data."""
MOST_BYTES = 1 << 28
"""Largest record: a PNG of the largest image that is read, and more."""
MOST_MISSING = 10_000
"""Missing records that are told one by one, whatever the size of the file."""
_BLOCK = 1 << 20  # bytes of a packed file unpacked at a time
_INFLATES = 1032  # DEFLATE makes a byte from at least 1/1032 byte
_CHECKSUM = struct.Struct("<I")
_END = "the file ends before it"
_TRUNCATED = "the file is truncated inside a record"


@dataclass(frozen=True)
class BadRecord:
    """An unreadable record, at its position in the file.

    Args:
        index: Integer, position of the record in its file, from 0.
        reason: String, the reason why it is unreadable.
        unread: Integer, the bytes that were left unread where reading had to end.
    """

    index: int
    reason: str
    unread: int = field(default=0, compare=False)


def read_records(
    path: str | os.PathLike[str],
    expected: int | None = None,
    *,
    start: int = 0,
    stop: int | None = None,
    unpacks: bool = False,
) -> Iterator[bytes | BadRecord]:
    """Streams the records of a TFRecord file, with a `BadRecord` in place of each damaged one.

    A wrong checksum of the data costs one record, and so does a length that is larger than
    `MOST_BYTES`. A wrong checksum of a length, or a truncated end, ends the reading: each record
    still missing is one `BadRecord`, up to `MOST_MISSING` or to what a file of this size can hold.
    Nothing is read before its length has been compared with what is left of the file.

    Args:
        path: Path of a TFRecord file, local or in a bucket.
        expected: Integer, number of records that the file should have. By default, all records lost
            at the end count as one.
        start: Integer, the first record to read; skips earlier ones unread.
        stop: Integer, the record to stop before; by default all are read.
        unpacks: Whether the file may be packed by GZIP or ZLIB.

    Yields:
        The bytes of a record, or a `BadRecord`.

    Raises:
        OSError: If the file is missing or cannot be opened.
    """
    index, size = 0, file_size(path) or 0
    with open_binary(path) as stream:
        reader = _packed_reader(path, stream, size) if unpacks else FrameReader(stream, size)
        while stop is None or index < stop:
            record, end = reader.next(skips=index < start)
            if end:
                break
            if index >= start:
                yield BadRecord(index, record) if isinstance(record, str) else record
            index += 1
        else:
            return
    known = index if end == _END else index + 1
    most = max(known, min(expected or 0, max(size // FRAME, MOST_MISSING)))
    for lost in range(max(index, start), min(most, stop or sys.maxsize)):
        yield BadRecord(lost, end, reader.left)


def _packed_reader(path: str | os.PathLike[str], stream: IO[bytes], size: int) -> FrameReader:
    """Returns a reader of a file that may be packed."""
    with open_binary(path) as begin:
        header = begin.read(HEADER)
    if len(header) == HEADER and _checked_length(header) is not None or not is_packed(header):
        return FrameReader(stream, size)
    inflated = Inflated(stream)
    return FrameReader(io.BufferedReader(inflated, _BLOCK), size * _INFLATES, inflated)


class FrameReader:
    """Reads one framed record after the other, and counts what is left of the file.

    Args:
        stream: The open file, at its beginning.
        size: Its size in bytes, of which `left` are unread; of a packed file, the most it can hold.
        inflated: The packed file below the stream, if there is one.
    """

    def __init__(self, stream: IO[bytes], size: int, inflated: Inflated | None = None):
        self._stream, self.left, self._inflated = stream, size, inflated

    def next(self, *, skips: bool) -> tuple[bytes | str, str]:
        """Reads a record.

        Args:
            skips: Whether to pass over the data unread.

        Returns:
            The data, empty if skipped, or as text the reason why this record is damaged; and the
            reason why reading must stop, empty if it goes on.
        """
        length, end = self._read_length()
        if end:
            return "", end
        self.left -= length + 4
        if skips or length > MOST_BYTES:
            self._skip(length + 4)
            return (b"" if skips else f"it has {length} bytes, more than {MOST_BYTES}"), ""
        framed = self._stream.read(length + 4)
        if len(framed) < length + 4:
            return "", _TRUNCATED
        data = framed[:length]
        whole = framed[length:] == _masked_crc(data)
        return (data if whole else "the checksum of its data does not match"), ""

    def _skip(self, count: int) -> None:
        if self._stream.seekable():
            self._stream.seek(count, os.SEEK_CUR)
            return
        while count and (passed := len(self._stream.read(min(count, _BLOCK)))):
            count -= passed

    def _read_length(self) -> tuple[int, str]:
        """Reads the length of a record and, if reading must stop, the reason."""
        header = self._stream.read(12)
        self.left -= len(header)
        if not header:
            return 0, (self._inflated.damage if self._inflated else "") or _END
        if len(header) < 12:
            return 0, "the file is truncated in the length of a record"
        length = _checked_length(header)
        if length is None:
            return 0, "the checksum of a record's length does not match"
        return length, _TRUNCATED if length + 4 > self.left else ""


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
        self.write_all([data])

    def write_all(self, records: Sequence[bytes]) -> None:
        """Appends several records, framed, in one write."""
        super().write(b"".join(map(frame, records)))
        self.records += len(records)


def frame(record: bytes) -> bytes:
    """Puts one record into TFRecord framing: length, checksum, data, checksum."""
    return b"".join((_header(len(record)), record, _masked_crc(record)))


@functools.lru_cache(maxsize=1 << 12)  # records of a data set have few different lengths
def _checked_length(header: bytes) -> int | None:
    """Returns the length in the header of a record; None if its checksum does not match."""
    length = struct.unpack("<Q", header[:8])[0]
    return length if header[8:] == _masked_crc(header[:8]) else None


@functools.lru_cache(maxsize=1 << 12)
def _header(length: int) -> bytes:
    """Returns the header of a record: its length, with a checksum."""
    encoded = struct.pack("<Q", length)
    return encoded + _masked_crc(encoded)


def unframe(frame: bytes) -> bytes | str:
    """Takes one record out of its framing; returns the reason as text if it is damaged."""
    header, data = frame[:HEADER], frame[HEADER:-4]
    if len(frame) < FRAME or header[8:] != _masked_crc(header[:8]):
        return "the checksum of its length does not match"
    if struct.unpack("<Q", header[:8])[0] != len(data):
        return "it has another length"
    whole = frame[-4:] == _masked_crc(data)
    return data if whole else "the checksum of its data does not match"


def _masked_crc(data: bytes) -> bytes:
    """Returns the checksum of TFRecord: CRC-32C, rotated and offset."""
    crc = google_crc32c.value(data)
    return _CHECKSUM.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
