"""How one example is read from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf
from google.protobuf.message import DecodeError

from pipeline.images import png_shape
from pipeline.records import BadRecord


class Row(NamedTuple):
    """One record that fits its manifest, its image not yet decoded."""

    record: int
    png: bytes
    codes: list[int]
    example_id: str


def parse_row(
    number: int,
    record: bytes | BadRecord,
    factors: Mapping[str, Sequence[str]],
    image_shape: tuple[int, int, int],
) -> Row | str:
    """Reads a `tf.train.Example`, or says why it cannot be used.

    Args:
        number: Number of the record in its shard.
        record: What `read_records` gave.
        factors: Value names of each factor.
        image_shape: Event shape that the image must have.
    """
    if isinstance(record, BadRecord):
        return record.reason
    try:
        features = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        return "the record is not a tf.train.Example"
    codes = []
    for name, values in factors.items():
        code = features[name].int64_list.value
        if len(code) != 1:
            return f"feature '{name}' is missing or not one integer"
        if not 0 <= code[0] < len(values):
            return f"feature '{name}' is {code[0]}, outside 0..{len(values) - 1}"
        codes.append(code[0])
    image, example_id = (features[name].bytes_list.value for name in ("image", "example_id"))
    if len(image) != 1 or len(example_id) != 1:
        return "feature 'image' or 'example_id' is missing or not one string"
    shape = png_shape(image[0])
    if isinstance(shape, str):
        return shape
    if shape != image_shape:
        return f"the image has shape {shape} instead of {image_shape}"
    return Row(number, image[0], codes, example_id[0].decode(errors="replace"))
