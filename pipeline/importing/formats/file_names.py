"""Sorted files of a folder in hardly more memory than their names take."""

from __future__ import annotations

import heapq
import os
from collections.abc import Collection, Iterator
from pathlib import Path

_PART = 4096
"""Names that are sorted at a time."""


class FileNames(Collection[str]):
    """Paths of the files of a folder, sorted by their parts; each is made when it is asked for.

    A list of `Path` takes about 300 bytes a file, and even those that are gone leave memory behind,
    since pathlib interns their parts. This holds sorted runs of names, each one piece of bytes, and
    merges them whenever they are read.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._parts: list[bytes] = []
        self._waiting: list[bytes] = []
        self._count = 0

    def append(self, path: str) -> None:
        """Adds a file by its path below the folder, divided by `/`; call `pack` after the last."""
        self._waiting.append(path.replace("/", "\0").encode("utf-8", "surrogatepass"))
        self._count += 1
        if len(self._waiting) == _PART:
            self.pack()

    def pack(self) -> None:
        """Packs the names that were added since the last time."""
        self._parts.append(b"".join(name + b"/" for name in sorted(self._waiting)))
        self._waiting.clear()

    @property
    def first(self) -> str | None:
        """The first file, if there is one."""
        return next(iter(self), None)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, path: object) -> bool:
        return any(path == other for other in self)

    def __iter__(self) -> Iterator[str]:
        for packed in heapq.merge(*map(_each, self._parts)):
            path = packed.decode("utf-8", "surrogatepass").replace("\0", "/")
            yield os.path.join(self.folder, path)


def _each(part: bytes) -> Iterator[bytes]:
    """Yields the names of a part, one at a time."""
    start = 0
    while start < len(part):
        end = part.index(b"/", start)
        yield part[start:end]
        start = end + 1


def path_below(folder: Path, path: str | Path) -> str:
    """Returns a path relative to a folder above it, divided by `/`."""
    return str(path).removeprefix(os.path.join(folder, "")).replace(os.sep, "/")
