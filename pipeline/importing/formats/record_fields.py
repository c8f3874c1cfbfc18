"""Image, label and factors of a `tf.train.Example`, or the reason why it has none."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from latentloom.pipeline.importing.opacity import has_opacity
from latentloom.pipeline.storage.tf_example import Example
from latentloom.pipeline.storage.tfrecords import BadRecord

IMAGE_FIELDS = ("image", "image/encoded", "image_raw")
_SHAPE_FIELDS = (("height",), ("width",), ("depth", "channels"))
_NETPBM = {1: b"P5", 3: b"P6"}
"""Number of a format of 8-bit pixels without compression, by the channels."""
_WITH_OPACITY = {2: "LA", 4: "RGBA"}
"""Mode of Pillow of pixels whose last channel is the opacity, by the channels."""

_JPEG_TAIL = 4096
"""Bytes at the end of a file in which a JPEG image ends; some programs write more after it."""

Value = int | str


@dataclass(frozen=True)
class Row:
    """An intact record.

    Args:
        image: Content of an image file.
        values: Value of each field, the label first.
    """

    image: bytes
    values: list[Value]


@dataclass(frozen=True)
class Flaw:
    """The reason why a record is unusable, and its label if it has one."""

    reason: str
    label: Value | None = None


@dataclass(frozen=True)
class RecordFields:
    """The fields of records that become examples.

    Args:
        names: Fields of the label and the factors, the label first.
        image: Field of the image; by default the first of `IMAGE_FIELDS` that a record has.
        first: Whether the first of several labels is the label.
        has_ground: Whether a second or fourth channel of pixels is the opacity, since a ground is
            given.
    """

    names: Sequence[str]
    image: str | None = None
    first: bool = False
    has_ground: bool = False

    def read(self, record: bytes | BadRecord) -> Row | Flaw:
        """Returns the image and the fields of a record."""
        features = features_of(record)
        if isinstance(features, str):
            return Flaw(features)
        values: list[Value] = []
        for field in self.names:
            value = _value(field, features, first=self.first and not values)
            if isinstance(value, Flaw):
                return Flaw(value.reason, values[0] if values else None)
            values.append(value)
        if self.image is None and len(found := _image_fields(features)) > 1:
            return Flaw(f"it has images in {' and '.join(found)}; pass --image FIELD", values[0])
        image = self._image(self.image_field(features), features)
        return Flaw(image, values[0]) if isinstance(image, str) else Row(image, values)

    def _image(self, field: str, features: Mapping[str, Any]) -> bytes | str:
        """Returns the content of an image file, or the reason why there is none."""
        image = features[field].bytes_list.value if field in features else []
        if len(image) != 1:
            return f"field '{field}' is missing or not one string"
        data, shape = image[0], _shape(features, len(image[0]))
        if shape is None or _is_image_file(data):
            return data
        size, depth = math.prod(shape), shape[2]
        if len(data) == size and (depth in _NETPBM or (has_opacity(depth) and self.has_ground)):
            return _pixels(data, shape)
        if len(data) % size:
            return data
        is_opacity = len(data) == size and has_opacity(depth)
        hint = "; if the last channel is the opacity, pass --ground white" if is_opacity else ""
        return (
            f"field '{field}' is neither an image file nor 8-bit pixels in 1 or 3 channels: it has "
            f"{len(data)} bytes for height x width x depth {' x '.join(map(str, shape))}{hint}"
        )

    def image_field(self, known: Mapping[str, Any] | set[str]) -> str:
        """Returns the field of the image in a record that has these fields."""
        if self.image is not None:
            return self.image
        return next((name for name in IMAGE_FIELDS if name in known), IMAGE_FIELDS[0])


def features_of(record: bytes | BadRecord) -> Mapping[str, Any] | str:
    """Returns the fields of a record by name, or the reason why it has none."""
    if isinstance(record, BadRecord):
        lost = ", and all records after it are lost" if record.unread else ""
        return f"record {record.index} of the file: {record.reason}{lost}"
    try:
        return Example.FromString(record).features.feature
    except DecodeError:
        return "the record is not a tf.train.Example"


def is_one_hot(field: str, record: bytes | BadRecord) -> bool | None:
    """Returns whether a field is a single 1 among zeros; None if it has not several numbers."""
    features = features_of(record)
    if isinstance(features, str) or field not in features:
        return None
    numbers = [*features[field].int64_list.value, *features[field].float_list.value]
    return None if len(numbers) < 2 else _is_one_hot(numbers)


def _is_one_hot(values: Sequence[Any]) -> bool:
    return values.count(1) == 1 and values.count(0) == len(values) - 1


def _value(field: str, features: Mapping[str, Any], *, first: bool) -> Value | Flaw:
    """Returns the one value of a field; with `first`, the first of several."""
    whole = f"field '{field}' is missing or not one integer or text"
    if field not in features:
        return Flaw(f"{whole}: it is missing")
    found = features[field]
    values = [*found.int64_list.value, *found.bytes_list.value, *found.float_list.value]
    if len(values) > 1 and not first:
        hint = "; with --first, the first label is taken"
        if _is_one_hot(values):
            hint = ", a 1 among zeros (one-hot); write the number of the class instead"
        return Flaw(f"{whole}: it has {len(values)} values{hint}")
    if not values:
        return Flaw(f"{whole}: it is empty")
    value = values[0]
    if isinstance(value, float):
        return int(value) if value.is_integer() else Flaw(f"{whole}: it is the number {value:g}")
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return Flaw(f"field '{field}' is not UTF-8")


def _pixels(data: bytes, shape: tuple[int, int, int]) -> bytes:
    """Returns 8-bit pixels of 1 to 4 channels as the content of an image file."""
    from PIL import Image

    height, width, depth = shape
    if depth in _NETPBM:
        return b"%b %d %d 255\n%b" % (_NETPBM[depth], width, height, data)
    file = io.BytesIO()
    Image.frombytes(_WITH_OPACITY[depth], (width, height), data).save(file, "TIFF")
    return file.getvalue()


def _image_fields(features: Mapping[str, Any]) -> list[str]:
    """Returns the usual fields of images that hold one string."""
    known = (name for name in IMAGE_FIELDS if name in features)
    return [name for name in known if len(features[name].bytes_list.value) == 1]


def _shape(features: Mapping[str, Any], size: int) -> tuple[int, int, int] | None:
    """Returns height, width and depth, if a record has them; the depth may follow from the size."""
    height, width, depth = (_side(names, features) for names in _SHAPE_FIELDS)
    if depth == 0 and height and width and size in (height * width, 3 * height * width):
        depth = size // (height * width)
    return (height, width, depth) if height and width and depth else None


def _side(names: Sequence[str], features: Mapping[str, Any]) -> int:
    """Returns the number in the first of some fields that a record has; 0 without one."""
    paths = [path for name in names for path in (name, f"image/{name}")]
    found = [features[path].int64_list.value for path in paths if path in features]
    return max(found[0][0], 0) if found and len(found[0]) == 1 else 0


def _is_image_file(data: bytes) -> bool:
    """Returns whether bytes begin as a file of a common format does, so they are not pixels."""
    is_jpeg = data.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in data[-_JPEG_TAIL:]
    is_bitmap = data.startswith(b"BM") and int.from_bytes(data[2:6], "little") == len(data)
    is_webp = data.startswith(b"RIFF") and data[8:12] == b"WEBP"
    others = (b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
    return is_jpeg or is_bitmap or is_webp or data.startswith(others)
