"""Encodes and decodes batches of 8-bit images as PNG, without TensorFlow.

Flat images, such as digits and drawings, are smallest and fastest without a filter, deflated by
zlib-ng. All others, such as photographs, take the filter Paeth and are deflated by ISA-L. Both
choose their code by the kind of CPU, so equal images may have other bytes there, and always have
equal pixels.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyspng
from isal import isal_zlib
from zlib_ng import zlib_ng

from latentloom.pipeline.storage.png_filters import filter_rows

_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG colour type
_CHANNELS = {colour: channels for channels, colour in _COLOURS.items()}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEVEL = 1  # of zlib-ng
_ISAL_LEVEL = 3  # bytes of levels 1 and 2 depend on the address of the stack, so on the thread
_BLOCK = 1 << 17  # bytes of pixels filtered at a time, which fit in the cache of a core
_KNOWN = (b"IHDR", b"PLTE", b"IDAT", b"IEND")  # chunks that a decoder must know
_ANCILLARY = 0x20  # bit of the first letter of a chunk that a decoder may skip
_DAMAGE: Any = (ValueError, RuntimeError, struct.error, isal_zlib.error)
_CHUNK, _CHECKSUM = struct.Struct(">I4s"), struct.Struct(">I")


def encode_png(images: np.ndarray) -> list[bytes]:
    """Encodes a batch of images; equal images give equal bytes on one kind of CPU.

    Args:
        images: uint8 array of shape `(batch_size, height, width, channels)`, 1 or 3 channels.

    Returns:
        One PNG file per image.

    Raises:
        TypeError: If the images are not uint8.
        ValueError: If the images are not a batch of grey or RGB images.
    """
    if images.dtype != np.uint8:
        raise TypeError(
            "The images have the wrong type. Expected: uint8 in 0..255. "
            f"Received: images.dtype={images.dtype}. Round and cast them first."
        )
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise ValueError(
            "The images have the wrong shape. Expected: shape (n, height, width, 1 or 3). "
            f"Received: images.shape={images.shape}. Reshape them first."
        )
    size = max(1, _BLOCK // max(images[:1].nbytes, 1))
    blocks = (images[start : start + size] for start in range(0, len(images), size))
    return [file for block in blocks for file in _encode_block(block)]


def _encode_block(images: np.ndarray) -> list[bytes]:
    count, *shape = images.shape
    rows, is_flat = filter_rows(images)
    header = _header(shape)
    return [
        _file(header, _deflate(data, flat))
        for data, flat in zip(rows.reshape(count, -1), is_flat.tolist(), strict=True)
    ]


def _deflate(rows: np.ndarray, flat: bool) -> bytes:
    if flat:
        return zlib_ng.compress(rows, _LEVEL)
    return isal_zlib.compress(rows, _ISAL_LEVEL)


def decode_png(data: Sequence[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """Decodes PNG files of one shape. Takes no memory for a file whose header has another one.

    Args:
        data: PNG files.
        shape: Event shape `(height, width, channels)` of each.

    Returns:
        uint8 array of shape `(len(data), height, width, channels)`.

    Raises:
        ValueError: If a file is damaged or has another shape.
    """
    images, layout = np.empty((len(data), *shape), np.uint8), _layout_of(tuple(shape))
    size = max(1, _BLOCK // layout.size)
    for start in range(0, len(data), size):
        try:
            block = [_decode(png, layout) for png in data[start : start + size]]
            rows = np.frombuffer(b"".join(block), np.uint8).reshape(-1, shape[0], layout.row)
            images[start : start + size] = rows[:, :, 1:].reshape(-1, *shape)
        except _DAMAGE as error:
            raise ValueError(
                f"An image is unreadable. Expected: PNG files of shape {tuple(shape)}. Received: "
                f"{error}. Leave out images that `is_intact_png` rejects."
            ) from error
    return images


def is_plain_png(png: bytes, shape: tuple[int, ...]) -> bool:
    """Returns whether a PNG has an intact header of this shape, no interlacing, and one end."""
    if shape[-1] not in _COLOURS or not png.startswith(_layout_of(shape).before):
        return False
    return png.find(_END) == len(png) - len(_END)


class _Layout(NamedTuple):
    """How images of a shape lie in a file without interlacing: what all files have in common."""

    shape: tuple[int, ...]
    header: bytes
    before: bytes
    row: int
    size: int
    unfiltered: bytes


@functools.lru_cache
def _layout_of(shape: tuple[int, ...]) -> _Layout:
    height, width, channels = shape
    header, row = _header(shape), 1 + width * channels
    before = _SIGNATURE + _chunk(b"IHDR", header)
    return _Layout(shape, header, before, row, height * row, bytes(height))


def _decode(png: bytes, layout: _Layout) -> bytes:
    """Decodes one file to rows, each after a byte that means nothing.

    libspng undoes filters, but checks no checksums.
    """
    shape = layout.shape
    if (data := _only_data(png, layout)) is None:
        if (found := png_shape(png)) != shape:
            raise ValueError(found if isinstance(found, str) else f"an image of shape {found}")
        header, data = _read_chunks(png)
        if header != layout.header:  # interlaced
            return _rows_of(pyspng.load(png), layout)
    rows = _inflate(data, layout.size)
    if rows[:: layout.row] == layout.unfiltered:
        return rows
    return _rows_of(pyspng.load(_file(layout.header, zlib.compress(rows, 0))), layout)


def _rows_of(image: np.ndarray, layout: _Layout) -> bytes:
    """Returns an image as rows, each after a byte that means nothing."""
    rows = np.empty((layout.shape[0], layout.row), np.uint8)
    rows[:, 1:] = image.reshape(layout.shape[0], -1)
    return rows.tobytes()


def _only_data(png: bytes, layout: _Layout) -> memoryview | None:
    """Returns the compressed data of a file that holds nothing else, as ours do, else None."""
    length = len(png) - 57  # without signature, header, end, and what surrounds the data
    start = _CHUNK.pack(max(length, 0), b"IDAT")
    if png[33:41] != start or not png.startswith(layout.before) or not png.endswith(_END):
        return None
    content = memoryview(png)[37:-16]
    intact = isal_zlib.crc32(content) == int.from_bytes(png[-16:-12])
    return content[4:] if intact else None


def _read_chunks(png: bytes) -> tuple[bytes, bytes]:
    """Returns the header and the compressed data of a file, after checking their checksums.

    Ancillary chunks are skipped, and so is what follows the end.
    """
    view, at, parts = memoryview(png), len(_SIGNATURE), []
    while True:
        length, kind = _CHUNK.unpack_from(png, at)
        content = view[at + 8 : at + 8 + length]
        if not kind[0] & _ANCILLARY:
            (checksum,) = _CHECKSUM.unpack_from(png, at + 8 + length)
            if kind not in _KNOWN or isal_zlib.crc32(view[at + 4 : at + 8 + length]) != checksum:
                raise ValueError(f"a damaged chunk {kind!r}")
        if kind == b"IDAT":
            parts.append(content)
        elif kind == b"IEND":
            return png[16:29], parts[0] if len(parts) == 1 else b"".join(parts)
        at += 12 + length


def _inflate(data: bytes | memoryview, size: int) -> bytes:
    """Inflates `size` bytes, and no more than that however much there is."""
    inflater = isal_zlib.decompressobj()
    rows = inflater.decompress(data, size + 1)
    if len(rows) < size or (len(rows) == size and not inflater.eof):
        raise ValueError(f"{len(rows)} bytes of rows instead of {size}")
    return rows[:size]


def _file(header: bytes, data: bytes) -> bytes:
    return b"".join((_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _END))


def _header(shape: Sequence[int]) -> bytes:
    """Returns the header of an image that is not interlaced."""
    height, width, channels = shape
    return struct.pack(">IIBBBBB", width, height, 8, _COLOURS[channels], 0, 0, 0)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = isal_zlib.crc32(content, isal_zlib.crc32(kind))
    return _CHUNK.pack(len(content), kind) + content + _CHECKSUM.pack(checksum)


_END = _chunk(b"IEND", b"")


def is_intact_png(data: bytes, shape: tuple[int, ...]) -> bool:
    """Returns whether a PNG of this shape decodes without an error."""
    try:
        decode_png([data], shape)
    except ValueError:
        return False
    return True


def after_png(data: bytes) -> int | None:
    """Returns the number of bytes after the end of a PNG; None if it has no end."""
    end = data.find(_END)
    return None if end < 0 else len(data) - end - len(_END)


def png_shape(data: bytes) -> tuple[int, int, int] | str:
    """Reads the shape from the header of a PNG; returns the reason as text if it is unusable.

    Args:
        data: A PNG file.

    Returns:
        `(height, width, channels)`, or a reason as text: not a PNG, a palette, not 8 bits.
    """
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR" or len(data) < 26:
        return "the image is not a PNG"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if depth != 8:
        return f"the image has {depth} bits per channel instead of 8"
    if colour not in _CHANNELS:
        return f"the image has PNG colour type {colour} instead of grey or RGB"
    return height, width, _CHANNELS[colour]
