"""Encodes and decodes batches of 8-bit images as PNG, without TensorFlow.

Flat images, such as digits and drawings, are smallest and fastest without a filter. All others,
such as photographs, take the filter Paeth. ISA-L deflates; zlib-ng is faster for small flat images.
Both choose their code by the kind of CPU, so equal images may have other bytes there, and always
have equal pixels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import pyspng
from isal import isal_zlib
from zlib_ng import zlib_ng

from latentloom.pipeline.storage.png_filters import filter_rows

_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG colour type
_CHANNELS = {colour: channels for channels, colour in _COLOURS.items()}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ISAL_FROM = 48  # pixels per side from which ISA-L is faster for flat images
_LEVEL = 1
_BLOCK = 1 << 18  # bytes of pixels filtered at a time, which fit in the cache of a core
_KNOWN = (b"IHDR", b"PLTE", b"IDAT", b"IEND")  # chunks that a decoder must know
_ANCILLARY = 0x20  # bit of the first letter of a chunk that a decoder may skip
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
    for_flat = isal_zlib if max(shape[:2]) >= _ISAL_FROM else zlib_ng
    header = _header(shape)
    return [
        _file(header, (for_flat if flat else isal_zlib).compress(data, _LEVEL))
        for data, flat in zip(rows.reshape(count, -1), is_flat.tolist(), strict=True)
    ]


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
    images = np.empty((len(data), *shape), np.uint8)
    for image, png in zip(images, data, strict=True):
        try:
            image[:] = _decode(png, shape)
        except (ValueError, RuntimeError, struct.error, isal_zlib.error) as error:
            raise ValueError(
                f"An image is unreadable. Expected: PNG files of shape {tuple(shape)}. Received: "
                f"{error}. Leave out images that `is_intact_png` rejects."
            ) from error
    return images


def _decode(png: bytes, shape: Sequence[int]) -> np.ndarray:
    """Decodes one file; libspng undoes filters, but checks no checksums."""
    if (found := png_shape(png)) != tuple(shape):
        raise ValueError(found if isinstance(found, str) else f"an image of shape {found}")
    header, data = _read_chunks(png)
    height, width, channels = shape
    if header != _header(shape):  # interlaced
        return pyspng.load(png).reshape(shape)
    rows = _inflate(data, height * (1 + width * channels))
    if not rows[:: 1 + width * channels].any():
        return rows.reshape(height, -1)[:, 1:].reshape(shape)
    return pyspng.load(_file(header, zlib.compress(rows, 0))).reshape(shape)


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


def _inflate(data: bytes, size: int) -> np.ndarray:
    """Inflates `size` bytes, and no more than that however much there is."""
    inflater = isal_zlib.decompressobj()
    rows = inflater.decompress(data, size + 1)
    if len(rows) < size or (len(rows) == size and not inflater.eof):
        raise ValueError(f"{len(rows)} bytes of rows instead of {size}")
    return np.frombuffer(rows, np.uint8, size)


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
