"""The depth of the pixels of an image file, as it stands in the file.

Pillow opens many images of more than 8 bits a channel as ones of 8, so its mode does not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # TIFF tags
SIGNED, FLOAT = 2, 3  # sample formats
_WHOLE_FORMATS = ("PNG", "TIFF")
_WHOLE_MODES = ("I;16B", "F;32F", "F;32BF")
_SIZES = b"\xff\x4f\xff\x51"  # begins a JPEG 2000 stream, and its segment of sizes
_AV1 = b"av1C"  # the box of an AVIF file that configures its decoder
_LOOKED_AT = 1 << 20  # bytes of a file


def depth_of(image: Any) -> str:
    """Returns what the file has beyond 8 unsigned bits a channel, such as `16 bits`, or "".

    Args:
        image: A Pillow image whose pixels are not loaded yet.
    """
    return _DEPTHS.get(image.format, _depth_of_mode)(image)


def is_read_whole(image: Any) -> bool:
    """Returns whether the values of an image that has a depth are read without a loss."""
    return image.format in _WHOLE_FORMATS or raw_modes(image)[0] in _WHOLE_MODES


def raw_modes(image: Any) -> list[str]:
    """Returns how the pixels of an unloaded image stand in its file."""
    modes = []
    for tile in image.tile:
        args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        modes += [part for part in args if isinstance(part, str) and part][:1]
    return modes or [""]


def tag_of(image: Any, number: int, default: int) -> int:
    """Returns the largest value of a tag of a TIFF image."""
    return int(np.max(image.tag_v2.get(number, default)))


def _depth_of_mode(image: Any) -> str:
    if image.mode == "F":
        return "floating 32 bits"
    deep = image.mode[0] == "I" or any(";16" in mode for mode in raw_modes(image))
    return "16 bits" if deep else ""


def _depth_of_tiff(image: Any) -> str:
    bits = tag_of(image, BITS, 1)
    name = {SIGNED: "signed ", FLOAT: "floating "}.get(tag_of(image, SAMPLE_FORMAT, 1), "")
    return f"{name}{bits} bits" if name or bits > 8 else ""


def _depth_of_netpbm(image: Any) -> str:
    """Pillow spreads other largest values than 255 and 65535 over its own range."""
    for tile in image.tile:
        most = tile.args[1] if isinstance(tile.args, tuple) and len(tile.args) == 2 else 0
        if most > 255:
            return f"{most.bit_length()} bits"
    return _depth_of_mode(image)


def _depth_of_sgi(image: Any) -> str:
    deep = any(tile.codec_name == "SGI16" or tile.args[-1] == 2 for tile in image.tile)
    return "16 bits" if deep else ""


def _depth_of_jpeg2000(image: Any) -> str:
    sizes = _after(image, _SIZES, 40)
    count = int.from_bytes(sizes[36:38], "big")
    bits = [byte & 0x7F for byte in _after(image, _SIZES, 38 + 3 * count)[38::3]]
    return f"{max(bits) + 1} bits" if bits and max(bits) > 7 else ""


def _depth_of_avif(image: Any) -> str:
    flags = _after(image, _AV1, 3)[2:]
    return "10 or 12 bits" if flags and flags[0] & 0x40 else ""


def _after(image: Any, mark: bytes, size: int) -> bytes:
    """Returns the bytes of a file after a mark; none without it."""
    place = image.fp.tell()
    image.fp.seek(0)
    start = image.fp.read(_LOOKED_AT)
    image.fp.seek(place)
    return start.partition(mark)[2][:size]


def _depth_of_dds(image: Any) -> str:
    deep = any("BC6" in str(tile.args) for tile in image.tile)
    return "floating 16 bits" if deep else _depth_of_mode(image)


_DEPTHS: dict[str, Callable[[Any], str]] = {
    "TIFF": _depth_of_tiff,
    "PPM": _depth_of_netpbm,
    "SGI": _depth_of_sgi,
    "JPEG2000": _depth_of_jpeg2000,
    "AVIF": _depth_of_avif,
    "DDS": _depth_of_dds,
}
