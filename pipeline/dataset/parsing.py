"""Parses one example from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.tf_example import Example
from latentloom.pipeline.storage.tfrecords import BadRecord


class ParsedRecord(NamedTuple):
    """One record that fits its manifest, with its observation still encoded."""

    record: int
    value: bytes | np.ndarray
    codes: list[int]
    example_id: str


def parse_row(
    number: int,
    record: bytes | BadRecord,
    factors: Mapping[str, Sequence[str]],
    kind: Kind,
    image_shape: tuple[int, ...],
) -> ParsedRecord | str:
    """Reads a `tf.train.Example`; returns the reason as text if it is unusable.

    Args:
        number: Number of the record in its shard.
        record: An item of `read_records`.
        factors: Value names of each factor.
        kind: The kind of observation.
        image_shape: Event shape that the observation must have.
    """
    if isinstance(record, BadRecord):
        return record.reason
    try:
        features = Example.FromString(record).features.feature
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
    example_id = features["example_id"].bytes_list.value
    if len(example_id) != 1:
        return "feature 'example_id' is missing or not one string"
    value = kind.parse(features[kind.feature], image_shape)
    if isinstance(value, str):
        return value
    return ParsedRecord(number, value, codes, example_id[0].decode(errors="replace"))
