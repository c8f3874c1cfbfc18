"""Labelled images in columns, and how one of them is read from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from pipeline.images import png_shape
from pipeline.records import BadRecord


@dataclass(frozen=True)
class DeadLetter:
    """An example that could not be used: its file, its number there, and the reason."""

    shard: str
    record: int
    reason: str


@dataclass(frozen=True)
class Examples:
    """A batch of labelled images, columnar.

    Args:
        images: uint8 array of shape `(batch_size, height, width, channels)`.
        factors: int64 codes of shape `(batch_size,)` for each factor, `"label"` among them.
        ids: The identity of each example.
    """

    images: np.ndarray
    factors: dict[str, np.ndarray]
    ids: list[str]

    def __post_init__(self):
        lengths = {len(self.images), len(self.ids)} | {len(c) for c in self.factors.values()}
        if len(lengths) > 1 or "label" not in self.factors:
            raise ValueError(
                "The columns of the examples do not agree. Expected: equal lengths and a factor "
                f"'label'. Received: images={len(self.images)}, ids={len(self.ids)}, "
                f"factors={ {name: len(c) for name, c in self.factors.items()} }. Align them."
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> np.ndarray:
        """int64 class codes of shape `(batch_size,)`."""
        return self.factors["label"]

    def take(self, rows: np.ndarray) -> Examples:
        """The examples at these rows: integer positions or a boolean mask."""
        rows = np.arange(len(self))[rows]
        factors = {name: codes[rows] for name, codes in self.factors.items()}
        return Examples(self.images[rows], factors, [self.ids[row] for row in rows])

    @classmethod
    def concatenate(cls, parts: Sequence[Examples]) -> Examples:
        """Joins at least one batch of the same factors and image shape."""
        return cls(
            np.concatenate([part.images for part in parts]),
            {name: np.concatenate([p.factors[name] for p in parts]) for name in parts[0].factors},
            [example_id for part in parts for example_id in part.ids],
        )


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
