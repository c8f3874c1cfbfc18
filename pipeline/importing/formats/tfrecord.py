"""TFRecord files of `tf.train.Example` records with a PNG or JPEG image and a label."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.formats.image_decoding import Decoder
from latentloom.pipeline.importing.source import batch_size, path_name, position_ids
from latentloom.pipeline.storage.files import find
from latentloom.pipeline.storage.tf_example import Example
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records

_IMAGE_FIELDS = ("image", "image/encoded")
_TEST_FILE = re.compile(r"(^|[-_.])test([-_.]|$)")


@dataclass(frozen=True)
class TFRecordSource:
    """Records of TFRecord files; files with the word "test" in their name are the test split.

    Args:
        files: Paths of each split, sorted.
        fields: The field behind each factor.
        codes: Code of each value of a factor.
        splits: Number of records of each split, good and bad.
        decoder: Decodes the images to one shape.
    """

    name: str
    files: dict[str, list[str]]
    fields: dict[str, str]
    codes: dict[str, dict[int | str, int]]
    splits: dict[str, int]
    decoder: Decoder
    label_field: str
    observation: str = "image"

    @classmethod
    def open(
        cls,
        where: str,
        label: str | None = None,
        factors: Sequence[str] | None = None,
        image_size: int | None = None,
    ) -> TFRecordSource:
        """Reads all records once to count them and to list the values of the fields.

        Args:
            where: Glob of the files.
            label: Field of the label; `label` by default.
            factors: Fields of the factors; none by default.
            image_size: Side to which images are resized, or None.

        Raises:
            FileNotFoundError: If no file matches.
            ValueError: If a field is missing, or images differ in size and `image_size` is None.
        """
        paths = find(where)
        if not paths:
            raise FileNotFoundError(f"No file matches '{where}'. Check the pattern, and quote it.")
        fields = {"label": label or "label"}
        fields |= {re.sub(r"\W", "_", name): name for name in factors or () if name != label}
        in_test = {path: bool(_TEST_FILE.search(os.path.basename(path))) for path in paths}
        files = {"train": [path for path in paths if not in_test[path]]}
        files |= (
            {"test": [path for path in paths if in_test[path]]} if any(in_test.values()) else {}
        )
        _check_fields(paths, list(fields.values()))
        values, splits = _survey(files, list(fields.values()))
        probes = ((path, io.BytesIO(row[0])) for path, row in _good_rows(paths, fields))
        return cls(
            name=path_name(where.split("*")[0].rstrip("-_.")),
            files=files,
            fields=fields,
            codes={name: _number(values[field]) for name, field in fields.items()},
            splits=splits,
            decoder=Decoder.fit(probes, image_size),
            label_field=fields["label"],
        )

    @property
    def description(self) -> str:
        """What the files are."""
        return f"Images from {sum(map(len, self.files.values()))} TFRecord files."

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """Event shape of the images."""
        return self.decoder.image_shape

    @property
    def factors(self) -> dict[str, list[str]]:
        """Value names of each factor."""
        return {name: [str(value) for value in codes] for name, codes in self.codes.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an unusable record is a dead letter."""
        rows, dead, size = [], [], batch_size(self)
        for position, (path, record) in enumerate(_records(self.files[split])):
            parsed = _parse(record, list(self.fields.values()))
            name = os.path.basename(path)
            pixels = (
                parsed if isinstance(parsed, str) else self.decoder(name, io.BytesIO(parsed[0]))
            )
            if isinstance(pixels, str):
                dead.append(DeadLetter(name, position, pixels))
            else:
                rows.append((position, pixels, parsed[1]))
            if len(rows) + len(dead) == size:
                yield self._examples(rows), dead
                rows, dead = [], []
        yield self._examples(rows), dead

    def _examples(self, rows: list) -> Examples:
        images = np.array([row[1] for row in rows], np.uint8).reshape(-1, *self.observation_shape)
        factors = {
            name: np.array([codes[row[2][column]] for row in rows], np.int64)
            for column, (name, codes) in enumerate(self.codes.items())
        }
        return Examples(images, factors, position_ids([row[0] for row in rows]))


def _records(paths: Sequence[str]) -> Iterator[tuple[str, bytes | BadRecord]]:
    return ((path, record) for path in paths for record in read_records(path))


def _parse(record: bytes | BadRecord, fields: Sequence[str]) -> tuple[bytes, list[int | str]] | str:
    """Returns the image and the fields of a record, or the reason why it is unusable."""
    if isinstance(record, BadRecord):
        return f"record {record.index} of the file: {record.reason}"
    try:
        features = _features(record)
    except DecodeError:
        return "the record is not a tf.train.Example"
    image = next(
        (features[name].bytes_list.value for name in _IMAGE_FIELDS if name in features), []
    )
    if len(image) != 1:
        return "field 'image' is missing or not one string"
    values = []
    for field in fields:
        integers, texts = features[field].int64_list.value, features[field].bytes_list.value
        if len(integers) + len(texts) != 1:
            return f"field '{field}' is missing or not one integer or text"
        value = (integers or texts)[0]
        values.append(value.decode(errors="replace") if isinstance(value, bytes) else value)
    return image[0], values


def _features(record: bytes) -> Any:
    return Example.FromString(record).features.feature


def _good_rows(paths: Sequence[str], fields: dict[str, str]):
    for path, record in _records(paths):
        row = _parse(record, list(fields.values()))
        if not isinstance(row, str):
            yield os.path.basename(path), row


def _check_fields(paths: list[str], fields: list[str]) -> None:
    """Checks that the first intact record has the image and every field."""
    for path, record in _records(paths):
        known = _field_names(record)
        if known is None:
            continue
        image = next((name for name in _IMAGE_FIELDS if name in known), "image")
        for field in (image, *fields):
            if field not in known:
                raise ValueError(
                    f"The records of '{path}' have no field '{field}'. Expected: one of "
                    f"{sorted(known)}. Received: '{field}'. {nearest(field, known)} "
                    "Pass --label and --factors to name fields."
                )
        return


def _field_names(record: bytes | BadRecord) -> set[str] | None:
    """Returns the names of the fields of a record; None if it is damaged."""
    try:
        return None if isinstance(record, BadRecord) else set(_features(record))
    except DecodeError:
        return None


def _survey(
    files: dict[str, list[str]], fields: list[str]
) -> tuple[dict[str, set], dict[str, int]]:
    """Returns the distinct values of each field, and the number of records of each split."""
    values: dict[str, set] = {field: set() for field in fields}
    splits = dict.fromkeys(files, 0)
    for split, paths in files.items():
        for _, record in _records(paths):
            row = _parse(record, fields)
            splits[split] += 1
            if not isinstance(row, str):
                for field, value in zip(fields, row[1], strict=True):
                    values[field].add(value)
    return values, splits


def _number(values: set) -> dict[int | str, int]:
    """Numbers values in their order: integers before texts."""
    ordered = sorted(values, key=lambda value: (isinstance(value, str), value))
    return {value: code for code, value in enumerate(ordered)}
