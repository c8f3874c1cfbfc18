"""Reads NumPy archives without believing the sizes that they declare.

The size of every array is computed from its header and compared with the archive before memory is
taken for it.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from latentloom.model_zoo.untrusted_files import told_of_file

File = Path | IO[bytes]

_ARRAY = "an intact array of numbers or texts, not of objects"
_PLAIN = "Save it with a plain dtype."
_SUFFIX = ".npy"
_HEADER = 10_000  # characters of the header of an array
_DEFLATE = 1032  # DEFLATE makes a byte from at least 1/1032 byte
_PACKINGS = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _DEFLATE}
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class ArrayHeader:
    """Shape and type of a stored array.

    Args:
        shape: Sizes of the axes.
        dtype: Type of an entry; never of objects, never empty.
        in_columns: Whether it is stored by columns, as Fortran does, so that rows are scattered.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    in_columns: bool = False

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def num_bytes(self) -> int:
        """Bytes of the array in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_headers(file: File, path: str | os.PathLike[str]) -> dict[str, ArrayHeader]:
    """Reads shape and type of every array of an archive, and checks them against its size.

    Args:
        file: The archive, as a path or open for reading.
        path: Its path, for messages.

    Raises:
        ValueError: The file is no archive, or an array is damaged, of objects, or larger or smaller
            than its header says.
    """
    headers = {}
    with _opened(file, path) as archive:
        for member in archive.infolist():
            if member.filename.endswith(_SUFFIX):
                name = member.filename.removesuffix(_SUFFIX)
                with told_of_file(path, _ARRAY, _PLAIN, f"Array '{name}'"):
                    headers[name] = _read_header(archive, member)
    return headers


def read_arrays(
    file: File, path: str | os.PathLike[str], names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Reads arrays of an archive, after the checks of `read_headers`.

    Args:
        file: The archive, as a path or open for reading.
        path: Its path, for messages.
        names: Names of the arrays to read; all by default.

    Raises:
        ValueError: As `read_headers`; or a checksum does not match.
    """
    headers, arrays = read_headers(file, path), {}
    with _opened(file, path) as archive:
        for name in headers if names is None else names:
            with told_of_file(path, _ARRAY, _PLAIN, f"Array '{name}'"):
                arrays[name] = _read_array(archive, name)
    return arrays


def open_array(file: Path, path: str | os.PathLike[str], name: str) -> IO[bytes]:
    """Opens the entries of an array, in the order in which they are stored.

    Reading to the end compares the checksum. Call `read_headers` before.

    Args:
        file: The archive.
        path: Its path, for messages.
        name: Name of the array.
    """
    with _opened(file, path) as archive, told_of_file(path, _ARRAY, _PLAIN, f"Array '{name}'"):
        stream = archive.open(name + _SUFFIX)  # keeps the file open
        _READ_HEADER[np.lib.format.read_magic(stream)](stream, max_header_size=_HEADER)
        return stream


def _opened(file: File, path: str | os.PathLike[str]) -> zipfile.ZipFile:
    """Opens an archive whose members are no larger together than its file."""
    with told_of_file(path, "an intact output of `np.savez`", "Save it again."):
        archive = zipfile.ZipFile(file)
        packed = sum(member.compress_size for member in archive.infolist())
        if packed > _size(archive):
            raise ValueError(f"its members declare {packed} bytes, more than the whole file has")
        return archive


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name + _SUFFIX) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=_HEADER)
        stream.read(1)  # at the end the checksum is compared
    return array


def _read_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ArrayHeader:
    """Reads the header of a member, which must explain the size of the member exactly."""
    size = member.file_size
    if member.compress_type not in _PACKINGS:
        raise ValueError(f"it is packed by method {member.compress_type}, not by DEFLATE")
    most = member.compress_size * _PACKINGS[member.compress_type]
    if size > most:
        raise ValueError(f"it declares {size} bytes, its data can hold {most} at most")
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _READ_HEADER:
            raise ValueError(f"it has a header of version {version}")
        shape, in_columns, dtype = _READ_HEADER[version](stream, max_header_size=_HEADER)
        begin = stream.tell()
    if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0:
        raise ValueError(f"it has the type {dtype} and the shape {shape}")
    header = ArrayHeader(shape, dtype, in_columns)
    if (needed := begin + header.num_bytes) != size:
        raise ValueError(f"it has {size} bytes, its header {shape} {dtype} needs {needed}")
    return header


def _size(archive: zipfile.ZipFile) -> int:
    """Returns the size of the file of an archive in bytes."""
    stream = archive.fp
    if stream is None:
        raise ValueError("the archive is closed")
    stream.seek(0, os.SEEK_END)
    return stream.tell()
