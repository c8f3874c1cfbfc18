"""Files that libraries write into, of which size and hash are kept."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.storage.atomic_files import AtomicFile

Files = dict[str, FileEntry]
"""Files of an export by name: their sizes and hashes."""


class Sink(io.RawIOBase):
    """A file for libraries that write bytes in order.

    Args:
        file: The open file.
    """

    def __init__(self, file: AtomicFile):
        super().__init__()
        self._file = file

    def writable(self) -> bool:
        """Returns True."""
        return True

    def write(self, data) -> int:
        """Appends bytes; returns their number."""
        content = bytes(data)
        self._file.write(content)
        return len(content)

    def tell(self) -> int:
        """Returns the number of bytes written."""
        return self._file.num_bytes


@contextmanager
def sink(folder: str, name: str, files: Files) -> Iterator[Sink]:
    """Opens a file to be written, and lists it when it is complete."""
    with AtomicFile(os.path.join(folder, name)) as file:
        yield Sink(file)
        entry = FileEntry(num_bytes=file.num_bytes, sha256=file.sha256)
    files[name] = entry
