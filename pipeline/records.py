"""TFRecord framing and `tf.train.Example` bytes, written atomically and read past damage."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import google_crc32c
import numpy as np
import tensorflow as tf

_CHUNK = 1 << 20  # bytes read at a time
_ERRNO = {
    tf.errors.NotFoundError: errno.ENOENT,
    tf.errors.PermissionDeniedError: errno.EACCES,
    tf.errors.AlreadyExistsError: errno.EEXIST,
    tf.errors.ResourceExhaustedError: errno.ENOSPC,
}

_END = "the file ends before it"

Value = bytes | str | int | float | Sequence[str] | np.ndarray


@dataclass(frozen=True)
class BadRecord:
    """A record that cannot be read, at its place in the file.

    Args:
        index: Integer, position of the record in its file, from 0.
        reason: String, why it cannot be read.
    """

    index: int
    reason: str


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(record: bytes) -> bytes:
    """Puts one record into TFRecord framing: length, checksum, data, checksum."""
    length = struct.pack("<Q", len(record))
    return length + _masked_crc(length) + record + _masked_crc(record)


class _GFileStream(io.RawIOBase):
    """A `tf.io.gfile.GFile` as a raw stream, so that `io.BufferedReader` can buffer it."""

    def __init__(self, path: str):
        self._file = tf.io.gfile.GFile(path, "rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer, /) -> int:
        view = memoryview(buffer)
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_records(
    path: str | os.PathLike[str], expected: int | None = None
) -> Iterator[bytes | BadRecord]:
    """Streams the records of a TFRecord file, with a `BadRecord` in place of each damaged one.

    A wrong checksum of the data costs one record. Past a wrong checksum of a length, or a
    truncated end, nothing more can be found: each record still missing is one `BadRecord`.

    Args:
        path: Path of an uncompressed TFRecord file, local or in a bucket.
        expected: Integer, how many records the file should have. Without it, records lost at
            the end count as one.

    Yields:
        The bytes of a record, or a `BadRecord`.
    """
    index = 0
    with io.BufferedReader(_GFileStream(os.fspath(path)), _CHUNK) as stream:
        while True:
            record, stop = _read_record(stream)
            if stop:
                break
            good = record is not None
            yield record if good else BadRecord(index, "the checksum of its data does not match")
            index += 1
    known = index if stop == _END else index + 1
    for lost in range(index, max(known, expected or 0)):
        yield BadRecord(lost, stop)


def _read_record(stream: IO[bytes]) -> tuple[bytes | None, str]:
    """Reads one record: its data (None if damaged) and, if reading must stop, the reason."""
    header = stream.read(12)
    if not header:
        return None, _END
    if len(header) < 12:
        return None, "the file is truncated in the length of a record"
    if header[8:] != _masked_crc(header[:8]):
        return None, "the checksum of a record's length does not match"
    (length,) = struct.unpack("<Q", header[:8])
    data, checksum = stream.read(length), stream.read(4)
    if len(data) + len(checksum) < length + 4:
        return None, "the file is truncated inside a record"
    return (data if checksum == _masked_crc(data) else None), ""


def serialize(features: Mapping[str, Value]) -> bytes:
    """Makes the bytes of a `tf.train.Example`; equal features give equal bytes.

    Args:
        features: One value per feature: bytes, text (UTF-8), an integer or boolean (int64), a
            float (float32), a sequence of texts, or an array of floats (float32, in C order).

    Raises:
        TypeError: A value is of another kind.
    """
    example = tf.train.Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        elif isinstance(value, (bool, int, np.integer, np.bool_)):
            feature.int64_list.value.append(int(value))
        elif isinstance(value, (float, np.floating)):
            feature.float_list.value.append(float(value))
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            feature.float_list.value.extend(value.ravel().tolist())
        elif isinstance(value, Sequence) and all(isinstance(text, str) for text in value):
            feature.bytes_list.value.extend(text.encode() for text in value)
        else:
            raise TypeError(
                f"Feature '{name}' cannot be stored. Expected: bytes, text, an integer, a float, "
                "a list of texts or an array of floats. "
                f"Received: type={type(value).__name__}. Convert it first."
            )
    return example.SerializeToString(deterministic=True)


@contextlib.contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Turns TensorFlow's file errors into the `OSError` of the same meaning, naming `path`."""
    try:
        yield
    except tf.errors.OpError as error:
        message = (
            f"Cannot write here: {error.message}. Expected: a folder that can be written to, on "
            "a disk with free space. Check its permissions and space, or choose another folder"
        )
        raise OSError(_ERRNO.get(type(error), errno.EIO), message, path) from error


class AtomicFile:
    """A file that gets its name only when it is complete.

    It is written as `.<name>.<random>.tmp` in the same folder, renamed when the `with` block
    ends well, and removed when it does not. Works on local paths and buckets.

    Args:
        path: Path of the file; an existing one is replaced.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = os.fspath(path)
        self.num_bytes = 0
        self._digest = hashlib.sha256()
        folder, name = os.path.split(self.path)
        self._temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of what was written so far."""
        return self._digest.hexdigest()

    def __enter__(self):
        with os_errors(self.path):
            self._file = tf.io.gfile.GFile(self._temporary, "wb")
            self._file.write(b"")  # creates the file even if nothing follows
        return self

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        with os_errors(self.path):
            self._file.write(data)
        self._digest.update(data)
        self.num_bytes += len(data)

    def __exit__(self, kind, error, trace) -> None:
        try:
            with os_errors(self.path):
                self._file.close()
                if kind is None:
                    tf.io.gfile.rename(self._temporary, self.path, overwrite=True)
        finally:
            if tf.io.gfile.exists(self._temporary):
                tf.io.gfile.remove(self._temporary)


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


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Writes a whole file so that it is seen complete or not at all; text as UTF-8."""
    with AtomicFile(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with io.BufferedReader(_GFileStream(os.fspath(path)), _CHUNK) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
