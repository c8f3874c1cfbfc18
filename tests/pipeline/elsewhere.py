"""A file system of Beam under a scheme of its own, `elsewhere://`, whose files lie in a folder.

It has no folders, as buckets have none: a name is there if a file is.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

SCHEME = "elsewhere"
FOLDER = Path(tempfile.mkdtemp(prefix="latentloom-elsewhere-"))


class Elsewhere(FileSystem):
    """Keeps `elsewhere://a/b` in the folder as one file with an escaped name."""

    @classmethod
    def scheme(cls):
        return SCHEME

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path):
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path):
        raise BeamIOError(f"There are no folders elsewhere: {path}")

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix):
        for place in sorted(FOLDER.iterdir()):
            if (path := _path(place)).startswith(dir_or_prefix):
                yield FileMetadata(path, place.stat().st_size)

    def create(self, path, mime_type="", compression_type="auto"):
        return _place(path).open("wb")

    def open(self, path, mime_type="", compression_type="auto"):
        return _place(path).open("rb")

    def copy(self, source_file_names, destination_file_names):
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            _place(target).write_bytes(_place(source).read_bytes())

    def rename(self, source_file_names, destination_file_names):
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            os.replace(_place(source), _place(target))

    def exists(self, path):
        return _place(path).exists()

    def size(self, path):
        return _place(path).stat().st_size

    def last_updated(self, path):
        return _place(path).stat().st_mtime

    def checksum(self, path):
        return str(self.size(path))

    def metadata(self, path):
        return FileMetadata(path, self.size(path))

    def delete(self, paths):
        for path in paths:
            _place(path).unlink()


def _place(path: str) -> Path:
    return FOLDER / path.replace("%", "%25").replace("/", "%2F")


def _path(place: Path) -> str:
    return place.name.replace("%2F", "/").replace("%25", "%")
