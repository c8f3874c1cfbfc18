"""Files that are read: local ones without TensorFlow, those in buckets with its file systems."""

from __future__ import annotations

import hashlib
import io
import os
from typing import IO

_CHUNK = 1 << 20  # bytes read at a time


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Whether a path has a scheme, as `gs://` has."""
    return "://" in os.fspath(path)


def file_size(path: str | os.PathLike[str]) -> int | None:
    """Size of a file in bytes; `None` if there is none."""
    if not is_remote(path):
        return os.stat(path).st_size if os.path.isfile(path) else None
    import tensorflow as tf

    path = os.fspath(path)
    return tf.io.gfile.stat(path).length if tf.io.gfile.exists(path) else None


def open_binary(path: str | os.PathLike[str]) -> IO[bytes]:
    """Opens a file for buffered reading.

    Raises:
        OSError: It cannot be opened.
    """
    if is_remote(path):
        return io.BufferedReader(_GFileStream(os.fspath(path)), _CHUNK)
    return open(path, "rb", buffering=_CHUNK)


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open_binary(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class _GFileStream(io.RawIOBase):
    """A `tf.io.gfile.GFile` as a raw stream, so that `io.BufferedReader` can buffer it."""

    def __init__(self, path: str):
        import tensorflow as tf

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
