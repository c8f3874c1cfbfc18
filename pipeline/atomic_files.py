"""Files and records written so that they are seen complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator

import tensorflow as tf

from pipeline.records import frame

_ERRNO = {
    tf.errors.NotFoundError: errno.ENOENT,
    tf.errors.PermissionDeniedError: errno.EACCES,
    tf.errors.AlreadyExistsError: errno.EEXIST,
    tf.errors.ResourceExhaustedError: errno.ENOSPC,
}


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
