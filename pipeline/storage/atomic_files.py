"""Writes files atomically: readers see a complete file or none."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from typing import IO

from latentloom.pipeline.storage.files import (
    append_binary,
    create_binary,
    exists,
    is_remote,
    remove,
    replace_file,
)


@contextlib.contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Adds `path` and a fix to an `OSError`."""
    try:
        yield
    except OSError as error:
        code = error.errno or errno.EIO
        raise OSError(
            code,
            "Cannot write here. Expected: a writable folder on a disk with free space. Received: "
            f"{error.strerror or error}. Check its permissions and space, or choose another folder",
            path,
        ) from error


class AtomicFile:
    """A file that gets its name only when it is complete.

    Writes `.<name>.<random>.tmp` in the same folder; renames it if the `with` block ends without an
    error, else removes it. Works on local paths and on paths with a scheme. `rest` between writes
    lets a process write more files by turns than it may have open.

    Args:
        path: Path of the file; an existing one is replaced.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = os.fspath(path)
        self.num_bytes = 0
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        folder, name = os.path.split(self.path)
        self._temporary = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the bytes written so far."""
        return self._digest.hexdigest()

    def __enter__(self):
        with os_errors(self.path):
            self._file = create_binary(self._temporary)
        return self

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        with os_errors(self.path):
            if self._file is None:
                self._file = append_binary(self._temporary)
            self._file.write(data)
        self._digest.update(data)
        self.num_bytes += len(data)

    def rest(self) -> None:
        """Closes the file until the next write; a file in a bucket stays open."""
        if self._file is not None and not is_remote(self.path):
            with os_errors(self.path):
                self._file.close()
            self._file = None

    def __exit__(self, kind, error, trace) -> None:
        try:
            with os_errors(self.path):
                if self._file is not None:
                    self._file.close()
                if kind is None:
                    replace_file(self._temporary, self.path)
        finally:
            if exists(self._temporary):
                remove(self._temporary)


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Writes a whole file atomically; text as UTF-8."""
    with AtomicFile(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)
