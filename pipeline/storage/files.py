"""Files by path: local paths by the operating system, paths with a scheme by Beam's file systems.

`gs://` and `s3://` need Beam's extras `gcp` and `aws`; other schemes can be registered with Beam.
Never imports TensorFlow; imports Beam only for paths with a scheme.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from latentloom.model_zoo.untrusted_files import told_of_file, unreadable

Location = str | os.PathLike[str]
"""A local path, or a path with a scheme as a string."""

MOST_TEXT = 1 << 28
"""Bytes of the largest text file that is read whole, such as the manifest of a million shards."""
_CHUNK = 1 << 20  # bytes read at a time


def is_remote(path: Location) -> bool:
    """Returns whether a path has a scheme, such as `gs://`."""
    return "://" in os.fspath(path)


def as_location(path: Location) -> str:
    """Returns a path as a string, without a slash at its end.

    Raises:
        ValueError: If it is empty.
    """
    if not os.fspath(path).strip():
        raise ValueError(
            "A path is empty. Expected: the path of a directory. Received: an empty text, as of a "
            "variable of the shell that is not set. Name the directory."
        )
    return os.fspath(path).rstrip("/") or "/"


def exists(path: Location) -> bool:
    """Returns whether a file or a folder exists."""
    if not is_remote(path):
        return os.path.exists(path)
    path = os.fspath(path)
    with _remote_errors(path) as systems:
        return systems.exists(path) or bool(_below(path))


def is_folder(path: Location) -> bool:
    """Returns whether a folder exists; a remote folder exists if it has files."""
    return bool(_below(path)) if is_remote(path) else os.path.isdir(path)


def list_names(folder: Location) -> list[str]:
    """Returns the names in a folder, in order; empty if the folder is missing."""
    if is_remote(folder):
        return sorted({name.partition("/")[0] for name in _below(folder)})
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def walk(folder: Location) -> list[str]:
    """Returns the paths of all files below a folder, relative to it, in order.

    A link to a folder counts as a file: nothing behind it belongs to the folder.
    """
    if is_remote(folder):
        return _below(folder)
    found = []
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in files + links]
    return sorted(found)


def links_below(folder: Location) -> list[str]:
    """Returns the paths of the symbolic links below a local folder, at any depth, not followed."""
    if is_remote(folder):
        return []
    return [
        path
        for parent, folders, files in os.walk(folder)
        for path in (os.path.join(parent, name) for name in [*folders, *files])
        if os.path.islink(path)
    ]


def find(pattern: str) -> list[str]:
    """Returns the paths that match a pattern such as `data/*.tfrecord`, in order."""
    if not is_remote(pattern):
        return sorted(glob.glob(pattern))
    with _remote_errors(pattern) as systems:
        return sorted(file.path for file in systems.match([pattern])[0].metadata_list)


def file_size(path: Location) -> int | None:
    """Returns the size of a file in bytes; `None` if it is missing."""
    if not is_remote(path):
        return os.stat(path).st_size if os.path.isfile(path) else None
    path = os.fspath(path)
    with _remote_errors(path) as systems:
        found = systems.match([path])[0].metadata_list
    sizes = [file.size_in_bytes for file in found if file.path == path]
    return sizes[0] if sizes else None


def check_regular(path: Location) -> None:
    """Rejects a pipe, a device or a socket, for whose bytes a reader would wait.

    Raises:
        OSError: If something else than a file or a folder has this local path.
    """
    if not is_remote(path) and exists(path) and not os.path.isfile(path) and not is_folder(path):
        raise OSError(
            errno.EINVAL,
            "This is not a regular file. Expected: a file on a disk. Received: a pipe, a device or "
            "a socket. Replace or remove it",
            os.fspath(path),
        )


def open_binary(path: Location) -> IO[bytes]:
    """Opens a file for buffered reading.

    Raises:
        OSError: If opening fails.
    """
    if not is_remote(path):
        check_regular(path)
        try:
            return open(path, "rb", buffering=_CHUNK)
        except OSError as error:
            raise unreadable(path, error) from error
    path = os.fspath(path)
    if file_size(path) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    with _remote_errors(path) as systems:
        return systems.open(path, compression_type=_uncompressed())


def read_text(path: Location) -> str:
    """Reads a whole file as UTF-8.

    Raises:
        OSError: If opening fails.
        ValueError: If the file is larger than `MOST_TEXT`, or not UTF-8.
    """
    expected = f"text in UTF-8 of at most {MOST_TEXT:,} bytes"
    size = file_size(path) or 0
    with open_binary(path) as stream, told_of_file(path, expected):
        if size > MOST_TEXT:
            raise ValueError(f"it has {size:,} bytes")
        return stream.read().decode()


def create_binary(path: Location) -> IO[bytes]:
    """Opens a new file for writing."""
    if not is_remote(path):
        return open(path, "wb")
    with _remote_errors(path) as systems:
        return systems.create(os.fspath(path), compression_type=_uncompressed())


def append_binary(path: Location) -> IO[bytes]:
    """Opens a local file for writing at its end."""
    return open(path, "ab")


def make_folders(path: Location) -> None:
    """Makes a folder and its parents if they are missing; does nothing in buckets."""
    if not is_remote(path):
        os.makedirs(path, exist_ok=True)


def replace_file(source: Location, target: Location) -> None:
    """Renames a file; replaces the target if it exists."""
    if not is_remote(target):
        os.replace(source, target)
        return
    with _remote_errors(target) as systems:
        systems.rename([os.fspath(source)], [os.fspath(target)])


def remove(path: Location) -> None:
    """Removes a file or a whole folder."""
    if is_remote(path):
        path = os.fspath(path)
        with _remote_errors(path) as systems:
            systems.delete([f"{path}/{name}" for name in _below(path)] or [path])
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


def remove_empty_folders(folder: Location, names: Iterable[str]) -> None:
    """Removes the folders of removed files, below a folder and if they are empty."""
    if is_remote(folder):
        return
    parents = {os.path.join(*parts) for name in names for parts in _parents(name)}
    for parent in sorted(parents, reverse=True):
        with contextlib.suppress(OSError):  # it holds something else
            os.rmdir(os.path.join(folder, parent))


def _parents(name: str) -> Iterator[list[str]]:
    parts = name.split("/")
    return (parts[:depth] for depth in range(1, len(parts)))


@contextlib.contextmanager
def local_folder(path: Location) -> Iterator[Path]:
    """Yields a local folder with the files of a folder: itself, or a temporary copy.

    Raises:
        OSError: If a pipe or a device stands in place of a file.
    """
    if not is_remote(path):
        for name in list_names(path):
            check_regular(os.path.join(path, name))
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="latentloom-") as copy:
        for name in _below(path):
            target = Path(copy, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_binary(f"{os.fspath(path)}/{name}") as stream, target.open("wb") as file:
                shutil.copyfileobj(stream, file, _CHUNK)
        yield Path(copy)


def sha256_file(path: Location) -> str:
    """Returns the hexadecimal SHA-256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with open_binary(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _below(folder: Location) -> list[str]:
    """Returns the names of all files below a remote folder, relative to it."""
    prefix = os.fspath(folder).rstrip("/") + "/"
    with _remote_errors(prefix) as systems:
        found = systems.match([f"{prefix}**"])[0].metadata_list
    return sorted(file.path.removeprefix(prefix) for file in found)


def _uncompressed() -> str:
    from apache_beam.io.filesystem import CompressionTypes

    return CompressionTypes.UNCOMPRESSED


@contextlib.contextmanager
def _remote_errors(path: Location) -> Iterator[Any]:
    """Yields Beam's file systems; turns their errors into `OSError` with the path."""
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        yield FileSystems
    except (BeamIOError, ValueError) as error:
        raise OSError(
            errno.EIO,
            "This remote path cannot be used. Expected: a scheme that Beam knows, and access "
            f"rights. Received: {error}. For gs:// install apache-beam[gcp], for s3:// "
            "apache-beam[aws]",
            os.fspath(path),
        ) from error
