"""Writes rows of columns as records of `tf.train.Example`, with the bytes of protobuf.

A record is a list of entries, one per feature, sorted by name. An entry is a head and a payload.
The head has the name and the lengths of the nested messages. It depends only on the length of the
payload, so a column needs few different heads.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

_BYTES, _FLOATS, _INTEGERS = b"\x0a", b"\x12", b"\x1a"  # tags of the fields 1 to 3 of `Feature`
_FIRST, _SECOND = b"\x0a", b"\x12"  # tags of the fields 1 and 2 of every other message
_SHORT = [bytes([number]) for number in range(128)]
_64_BITS = (1 << 64) - 1


class _Payloads(NamedTuple):
    """The values of a column, encoded: the tag of their lists, and whether each item has a tag."""

    tag: bytes
    values: list[bytes]
    has_tags: bool = False


def serialize_columns(columns: Mapping[str, Sequence | np.ndarray]) -> list[bytes]:
    """Makes a `tf.train.Example` of every row of columns; equal rows give equal bytes.

    Args:
        columns: Columns of equal length, by feature. A column is an array of integers, booleans or
            floats, whose first axis are the rows; or it has one value per row, all of one type:
            bytes, texts (UTF-8), integers or booleans (int64), floats (float32), lists of texts, or
            arrays of floats (float32) or of integers (int64), in C order.

    Returns:
        One record per row, the bytes of protobuf's deterministic serialisation.

    Raises:
        TypeError: If a column has values of another type.
        ValueError: If the columns differ in length, or an integer has more than 64 bits.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            "The columns of the records differ in length. Expected: one value per record. "
            f"Received: lengths={lengths}. Align them."
        )
    entries = [_entries(name, columns[name]) for name in sorted(columns, key=_order)]
    return [_field(_FIRST, b"".join(row)) for row in zip(*entries, strict=True)]


def _order(name: str) -> bytes:
    """Returns the key by which protobuf sorts a name: before any name that it begins with."""
    return name.encode() + b"\xff"


def _entries(name: str, column: Sequence | np.ndarray) -> list[bytes]:
    """Returns the entry of every value of a column."""
    payloads = _encode(name, column)
    make = functools.partial(_head, name.encode(), payloads.tag, has_tags=payloads.has_tags)
    lengths = list(map(len, payloads.values))
    heads = {length: make(length) for length in set(lengths)}
    return [heads[length] + value for length, value in zip(lengths, payloads.values, strict=True)]


def _head(name: bytes, tag: bytes, length: int, *, has_tags: bool) -> bytes:
    """Returns the bytes of an entry before a payload of `length` bytes."""
    is_empty = has_tags or (
        tag != _BYTES and not length
    )  # protobuf writes no empty pack of numbers
    item = b"" if is_empty else _FIRST + _varint(length)
    feature = tag + _varint(len(item) + length) + item
    start = _field(_FIRST, name) + _SECOND + _varint(len(feature) + length) + feature
    return _FIRST + _varint(len(start) + length) + start


def _encode(name: str, column: Sequence | np.ndarray) -> _Payloads:
    if isinstance(column, np.ndarray) and column.dtype.kind in "biuf":
        size = column.size // max(len(column), 1)
        return _pack(name, column.ravel(), itertools.repeat(size, len(column)))
    types = set(map(type, column))
    for accepted, encode in _ENCODERS:
        if all(issubclass(one, accepted) for one in types):
            return encode(name, column)
    raise _wrong_type(name, types)


def _encode_texts(name: str, column: Sequence[str]) -> _Payloads:
    return _Payloads(_BYTES, [text.encode() for text in column])


def _encode_integers(name: str, column: Sequence) -> _Payloads:
    try:
        values = np.array(column, np.int64)
    except OverflowError as error:
        raise _too_large(name) from error
    return _pack(name, values, itertools.repeat(1, len(values)))


def _encode_floats(name: str, column: Sequence) -> _Payloads:
    return _pack(name, np.array(column, np.float64), itertools.repeat(1, len(column)))


def _encode_arrays(name: str, column: Sequence[np.ndarray]) -> _Payloads:
    flat = np.concatenate([array.ravel() for array in column])
    if flat.dtype.kind not in "biuf":
        raise _wrong_type(name, {flat.dtype})
    return _pack(name, flat, [array.size for array in column])


def _encode_lists(name: str, column: Sequence[Sequence[str]]) -> _Payloads:
    if types := {type(text) for texts in column for text in texts if not isinstance(text, str)}:
        raise _wrong_type(name, types)
    lists = ([_field(_FIRST, text.encode()) for text in texts] for texts in column)
    return _Payloads(_BYTES, [b"".join(items) for items in lists], has_tags=True)


_ENCODERS: tuple[tuple[Any, Callable[[str, Any], _Payloads]], ...] = (
    (bytes, lambda name, column: _Payloads(_BYTES, list(column))),
    (str, _encode_texts),
    ((int, np.integer, np.bool_), _encode_integers),
    ((float, np.floating), _encode_floats),
    (np.ndarray, _encode_arrays),
    (Sequence, _encode_lists),
)


def _pack(name: str, values: np.ndarray, sizes: Iterable[int]) -> _Payloads:
    """Packs numbers; `sizes` are the numbers of values of the rows."""
    ends = list(itertools.accumulate(sizes, initial=0))
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # infinity, as in protobuf
            data = values.astype("<f4").tobytes()
        return _Payloads(_FLOATS, [data[4 * a : 4 * b] for a, b in itertools.pairwise(ends)])
    if values.dtype == np.uint64 and values.size and values.max() >> np.uint64(63):
        raise _too_large(name)
    codes = [_SHORT[n] if 0 <= n < 128 else _varint(n & _64_BITS) for n in values.tolist()]
    return _Payloads(_INTEGERS, [b"".join(codes[a:b]) for a, b in itertools.pairwise(ends)])


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Encodes an integer, seven bits a byte, the lowest first."""
    if number < 128:
        return _SHORT[number]
    code = bytearray()
    while number > 127:
        code.append(number & 127 | 128)
        number >>= 7
    code.append(number)
    return bytes(code)


def _wrong_type(name: str, types: Iterable[Any]) -> TypeError:
    found = sorted(getattr(one, "__name__", str(one)) for one in types)
    return TypeError(
        f"Feature '{name}' has a wrong type. Expected: bytes, texts, integers, floats, lists of "
        "texts or arrays of numbers, one type for all records. "
        f"Received: types={found}. Convert it first."
    )


def _too_large(name: str) -> ValueError:
    return ValueError(
        f"Feature '{name}' has an integer that is too large. Expected: integers of 64 bits with a "
        "sign. Received: more. Store it as text."
    )
