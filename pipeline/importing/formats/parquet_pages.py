"""The sizes of the pages of a Parquet file, from their headers, before one of them is inflated.

The sums in the footer are not believed: pyarrow inflates what the header of a page declares. The
header is a struct of Thrift's compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

MOST_INFLATED = 1 << 28
"""Bytes in memory that a page may take beyond those in its file, and the values of a batch."""

_INFLATED, _PACKED = 2, 3  # fields of a page header
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = (4, 5, 6)
_MOST_HEADER = 16 << 20  # bytes, the limit of pyarrow
_DEEPEST = 8  # structs in structs; a page header has three
_MOST_SHIFT = 63  # bits of an integer


@dataclass(frozen=True)
class Page:
    """A page of a column.

    Args:
        packed: Its bytes in the file.
        inflated: Its bytes in memory, as its header declares.
    """

    packed: int
    inflated: int


def read_pages(stream: IO[bytes], start: int, size: int) -> Iterator[Page]:
    """Yields the pages of a column of a row group.

    Args:
        stream: The file, open for reading.
        start: Place of the first page in the file.
        size: Bytes of all pages with their headers.

    Raises:
        ValueError: If a header is damaged, or a page is not in the column.
    """
    place, end = start, start + size
    while place < end:
        stream.seek(place)
        header = _Header(stream, min(end - place, _MOST_HEADER))
        numbers = header.struct()
        packed, inflated = numbers.get(_PACKED, -1), numbers.get(_INFLATED, -1)
        place += header.size + packed
        if packed < 0 or inflated < 0 or place > end:
            raise ValueError(f"a page declares {packed} bytes, which inflate to {inflated}")
        yield Page(packed, inflated)


class _Header:
    """Reads a struct and counts its bytes; skips what is no integer."""

    def __init__(self, stream: IO[bytes], most: int):
        self.size, self._stream, self._most = 0, stream, most

    def struct(self, depth: int = 0) -> dict[int, int]:
        """Reads a struct; returns its integers by the numbers of their fields."""
        found: dict[int, int] = {}
        field = 0
        while (head := self._byte()) & 15 != _STOP:
            field = field + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            if kind in _INTEGERS:
                found[field] = self._integer()
            elif kind not in (_TRUE, _FALSE):  # whose value is the kind
                self._skip(kind, depth)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        if kind == _STRUCT and depth < _DEEPEST:
            self.struct(depth + 1)
        elif kind in (_LIST, _SET) and depth < _DEEPEST:
            head = self._byte()
            for _ in range(head >> 4 if head >> 4 < 15 else self._varint()):
                self._skip(head & 15, depth + 1)
        elif kind in _INTEGERS:
            self._varint()
        elif kind in (_BINARY, _DOUBLE, _BYTE, _TRUE, _FALSE):
            self._pass({_BINARY: -1, _DOUBLE: 8}.get(kind, 1))
        else:
            raise ValueError(f"the header of a page has a field of type {kind}")

    def _pass(self, count: int) -> None:
        count = self._varint() if count < 0 else count
        self._take(count)
        self._stream.seek(count, 1)

    def _integer(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def _varint(self) -> int:
        number = 0
        for shift in range(0, _MOST_SHIFT + 1, 7):
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
        raise ValueError("the header of a page has a number of more than 64 bits")

    def _byte(self) -> int:
        self._take(1)
        if not (found := self._stream.read(1)):
            raise ValueError("the file ends in the header of a page")
        return found[0]

    def _take(self, count: int) -> None:
        self.size += count
        if self.size > self._most:
            raise ValueError("the header of a page does not end")
