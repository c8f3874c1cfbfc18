"""Writes a contact sheet as a PNG file that is known as ours by a text in it."""

from __future__ import annotations

import struct
import zlib

from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import exists, open_binary

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = len(_SIGNATURE) + 25  # with the chunk IHDR, which comes first
_TEXT = b"Software\x00latentloom look"
_MARK = struct.pack(">I", len(_TEXT)) + b"tEXt" + _TEXT
_MARK += struct.pack(">I", zlib.crc32(b"tEXt" + _TEXT))


def check_sheet(path: str, *, overwrite: bool) -> None:
    """Checks that a sheet may be written to a path.

    Raises:
        FileExistsError: There is a file, and either it is no sheet or `overwrite` is false.
    """
    if not exists(path):
        return
    is_sheet = _is_sheet(path)
    if not (is_sheet and overwrite):
        what = "an earlier sheet" if is_sheet else "a file that `look` did not write"
        fix = "Pass --overwrite, or" if is_sheet else "Move it, or"
        raise FileExistsError(
            f"'{path}' is there already. Expected: no such file. Received: {what}. {fix} name "
            "another file with --out."
        )


def write_sheet(path: str, png: bytes) -> None:
    """Writes a PNG file with the mark of a sheet."""
    write_atomic(path, png[:_HEADER] + _MARK + png[_HEADER:])


def _is_sheet(path: str) -> bool:
    try:
        with open_binary(path) as file:
            return file.read(_HEADER + len(_MARK))[_HEADER:] == _MARK
    except IsADirectoryError:
        return False
