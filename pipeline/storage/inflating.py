"""Reads a stream packed by GZIP or ZLIB, as much as is asked for."""

from __future__ import annotations

import io
import zlib
from typing import IO

_CHUNK = 1 << 16  # packed bytes read at a time
_EITHER = 47  # zlib's number for the largest window and a header of GZIP or ZLIB


def is_packed(header: bytes) -> bool:
    """Returns whether a file that begins with these bytes may be packed by GZIP or ZLIB."""
    is_zlib = header[:1] == b"\x78" and len(header) > 1 and not int.from_bytes(header[:2]) % 31
    return header[:2] == b"\x1f\x8b" or is_zlib


class Inflated(io.RawIOBase):
    """A packed stream, unpacked.

    Damage ends the stream; `damage` says what it is.

    Args:
        stream: The packed stream, at its beginning.
    """

    def __init__(self, stream: IO[bytes]):
        super().__init__()
        self.damage = ""
        self._stream = stream
        self._inflater = zlib.decompressobj(_EITHER)
        self._waiting = b""

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer) -> int:
        """Fills a buffer; returns the number of bytes, 0 at the end."""
        view = memoryview(buffer).cast("B")
        try:
            part = self._next(len(view))
        except zlib.error as error:
            self.damage, part = f"the packed file is damaged: {error}", b""
        view[: len(part)] = part
        return len(part)

    def _next(self, most: int) -> bytes:
        while not self.damage:
            if self._inflater.eof:  # another member may follow
                self._waiting = self._inflater.unused_data or self._stream.read(_CHUNK)
                if not self._waiting:
                    return b""
                self._inflater = zlib.decompressobj(_EITHER)
            data = self._waiting or self._stream.read(_CHUNK)
            if not data:
                self.damage = "the packed file is truncated"
                return b""
            part = self._inflater.decompress(data, most)
            self._waiting = self._inflater.unconsumed_tail
            if part:
                return part
        return b""
