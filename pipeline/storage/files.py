"""Files by path: local ones by the operating system, those with a scheme by Beam's file systems.

`gs://` and `s3://` need Beam's extras `gcp` and `aws`; other schemes can be registered with Beam.
TensorFlow is never imported, nor is Beam for local files.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

Location = str | os.PathLike[str]
"""A path of this machine, or one with a scheme, which must be a string."""

_CHUNK = 1 << 20  # bytes read at a time


def is_remote(path: Location) -> bool:
    """Whether a path has a scheme, as `gs://` has."""
    return "://" in os.fspath(path)


def as_location(path: Location) -> str:
    """A path as a string, without a slash at its end."""
    return os.fspath(path).rstrip("/") or "/"


def exists(path: Location) -> bool:
    """Whether there is a file or a folder."""
    if not is_remote(path):
        return os.path.exists(path)
    path = os.fspath(path)
    with _remote_errors(path) as systems:
        return systems.exists(path) or bool(_below(path))


def is_folder(path: Location) -> bool:
    """Whether there is a folder; without a local one, whether files lie below it."""
    return bool(_below(path)) if is_remote(path) else os.path.isdir(path)


def list_names(folder: Location) -> list[str]:
    """Names of what lies in a folder, in order; none if it is not there."""
    if is_remote(folder):
        return sorted({name.partition("/")[0] for name in _below(folder)})
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def find(pattern: str) -> list[str]:
    """Paths that match a pattern such as `data/*.tfrecord`, in order."""
    if not is_remote(pattern):
        return sorted(glob.glob(pattern))
    with _remote_errors(pattern) as systems:
        return sorted(file.path for file in systems.match([pattern])[0].metadata_list)


def file_size(path: Location) -> int | None:
    """Size of a file in bytes; `None` if there is none."""
    if not is_remote(path):
        return os.stat(path).st_size if os.path.isfile(path) else None
    path = os.fspath(path)
    with _remote_errors(path) as systems:
        found = systems.match([path])[0].metadata_list
    sizes = [file.size_in_bytes for file in found if file.path == path]
    return sizes[0] if sizes else None


def open_binary(path: Location) -> IO[bytes]:
    """Opens a file for buffered reading.

    Raises:
        OSError: It cannot be opened.
    """
    if not is_remote(path):
        return open(path, "rb", buffering=_CHUNK)
    path = os.fspath(path)
    if file_size(path) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    with _remote_errors(path) as systems:
        return systems.open(path, compression_type=_uncompressed())


def read_text(path: Location) -> str:
    """Reads a whole file as UTF-8."""
    with open_binary(path) as stream:
        return stream.read().decode()


def create_binary(path: Location) -> IO[bytes]:
    """Opens a new file for writing."""
    if not is_remote(path):
        return open(path, "wb")
    with _remote_errors(path) as systems:
        return systems.create(os.fspath(path), compression_type=_uncompressed())


def make_folders(path: Location) -> None:
    """Makes a folder and those above it, unless they are there; buckets need none."""
    if not is_remote(path):
        os.makedirs(path, exist_ok=True)


def replace_file(source: Location, target: Location) -> None:
    """Gives a file another name, that of another one if there is one."""
    if not is_remote(target):
        os.replace(source, target)
        return
    with _remote_errors(target) as systems:
        systems.rename([os.fspath(source)], [os.fspath(target)])


def replace_folder(source: str, target: str, last: str = "") -> None:
    """Gives a folder another name, under which there is none.

    Args:
        source: The folder.
        target: Its new path.
        last: Name of the file that shows that the rest is there: where folders cannot be renamed
            at once, it is the last that is.
    """
    if not is_remote(target):
        os.replace(source, target)
        return
    for name in sorted(_below(source), key=lambda name: (name == last, name)):
        replace_file(f"{source}/{name}", f"{target}/{name}")


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


@contextlib.contextmanager
def local_folder(path: Location) -> Iterator[Path]:
    """Yields a folder of this machine with the files of a folder: itself, or a copy for a while."""
    if not is_remote(path):
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
    """Hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open_binary(path) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _below(folder: Location) -> list[str]:
    """Names of all files below a remote folder, relative to it."""
    prefix = os.fspath(folder).rstrip("/") + "/"
    with _remote_errors(prefix) as systems:
        found = systems.match([f"{prefix}**"])[0].metadata_list
    return sorted(file.path.removeprefix(prefix) for file in found)


def _uncompressed() -> str:
    from apache_beam.io.filesystem import CompressionTypes

    return CompressionTypes.UNCOMPRESSED


@contextlib.contextmanager
def _remote_errors(path: Location) -> Iterator[Any]:
    """Yields Beam's file systems; turns their errors into `OSError`, naming the path."""
    from apache_beam.io.filesystem import BeamIOError
    from apache_beam.io.filesystems import FileSystems

    try:
        yield FileSystems
    except (BeamIOError, ValueError) as error:
        raise OSError(
            errno.EIO,
            f"{error}. Expected: a scheme that Beam knows, with the right to use it. For gs:// "
            "install apache-beam[gcp], for s3:// apache-beam[aws]",
            os.fspath(path),
        ) from error
