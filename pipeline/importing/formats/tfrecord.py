"""TFRecord files of `tf.train.Example` records with a PNG or JPEG image and a label."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from google.protobuf.message import DecodeError

from latentloom.augment.spelling import nearest
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing.formats.image_decoding import Decoder, Headers
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
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
        form: ImageForm = AS_STORED,
        channels: int | None = None,
    ) -> TFRecordSource:
        """Reads all records once: counts them, lists the values of the fields and reads headers.

        Args:
            where: Glob of the files.
            label: Field of the label; `label` by default.
            factors: Fields of the factors; none by default.
            form: The form that images get.
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.

        Raises:
            FileNotFoundError: If no file matches.
            ValueError: If a field is missing, images differ in size and no size was asked
                for or are masks, or the name of a file is not plain text.
        """
        paths = find(where)
        if not paths:
            raise FileNotFoundError(
                f"No file matches '{where}'. Expected: a pattern of TFRecord files. Received: "
                f"SOURCE=tfrecord:{where}, 0 files. Check the pattern, and quote it."
            )
        for path in paths:
            check_source_text("The file name", path)
        fields = {"label": label or "label"}
        fields |= {re.sub(r"\W", "_", name): name for name in factors or () if name != label}
        in_test = {path: bool(_TEST_FILE.search(os.path.basename(path))) for path in paths}
        files = {"train": [path for path in paths if not in_test[path]]}
        files |= (
            {"test": [path for path in paths if in_test[path]]} if any(in_test.values()) else {}
        )
        survey = _Survey(list(fields.values()), Headers(form))
        splits = {split: survey.read(found) for split, found in files.items()}
        survey.check_fields(paths[0])
        decoder = survey.headers.decoder(channels)
        return cls(
            name=path_name(where.split("*")[0].rstrip("-_.")),
            files=files,
            fields=fields,
            codes={name: _number(survey.values[field]) for name, field in fields.items()},
            splits=splits,
            decoder=decoder.levelled(where, _images(files, list(fields.values()))),
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
            image = parsed if isinstance(parsed, str) else self.decoder(name, io.BytesIO(parsed[0]))
            if isinstance(image, str):
                dead.append(DeadLetter(name, position, image))
            else:
                rows.append((position, image, parsed[1]))
            if len(rows) + len(dead) == size:
                yield self._examples(rows), dead
                rows, dead = [], []
        yield self._examples(rows), dead

    def _examples(self, rows: list) -> Examples:
        factors = {
            name: np.array([codes[row[2][column]] for row in rows], np.int64)
            for column, (name, codes) in enumerate(self.codes.items())
        }
        ids = position_ids([row[0] for row in rows])
        return self.decoder.examples([row[1] for row in rows], factors, ids)


def _records(paths: Sequence[str]) -> Iterator[tuple[str, bytes | BadRecord]]:
    return ((path, record) for path in paths for record in read_records(path))


def _images(files: dict[str, list[str]], fields: Sequence[str]) -> Iterator[IO[bytes]]:
    """Yields the images of intact records."""
    for _, record in _records([path for paths in files.values() for path in paths]):
        row = _parse(record, fields)
        if not isinstance(row, str):
            yield io.BytesIO(row[0])


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
        try:
            values.append(value.decode() if isinstance(value, bytes) else value)
        except UnicodeDecodeError:
            return f"field '{field}' is not UTF-8"
    return image[0], values


def _features(record: bytes) -> Any:
    return Example.FromString(record).features.feature


class _Survey:
    """What all records hold together, whatever their order.

    Args:
        fields: Fields of the factors.
        headers: The headers of the images.
    """

    def __init__(self, fields: list[str], headers: Headers):
        self.headers = headers
        self.values: dict[str, set] = {field: set() for field in fields}
        self.known: set[str] = set()
        self.intact = 0

    def read(self, paths: list[str]) -> int:
        """Reads the records of some files; returns their number, good and bad."""
        count = 0
        for path, record in _records(paths):
            count += 1
            row = _parse(record, list(self.values))
            if isinstance(row, str):
                self.known |= _field_names(record)
                continue
            self.intact += 1
            for found, value in zip(self.values.values(), row[1], strict=True):
                found.add(value)
            self.headers.add(os.path.basename(path), io.BytesIO(row[0]))
        return count

    def check_fields(self, path: str) -> None:
        """Rejects a field that no record has; `path` is for the message."""
        if self.intact:
            return
        image = next((name for name in _IMAGE_FIELDS if name in self.known), "image")
        for field in (image, *self.values):
            if self.known and field not in self.known:
                raise ValueError(
                    f"The records of '{path}' have no field '{field}'. Expected: one of "
                    f"{sorted(self.known)}. Received: '{field}'. {nearest(field, self.known)} "
                    "Pass --label and --factors to name fields."
                )


def _field_names(record: bytes | BadRecord) -> set[str]:
    """Returns the names of the fields of a record; none if it is damaged."""
    try:
        return set() if isinstance(record, BadRecord) else set(_features(record))
    except DecodeError:
        return set()


def _number(values: set) -> dict[int | str, int]:
    """Numbers values in their order: integers before texts."""
    ordered = sorted(values, key=lambda value: (isinstance(value, str), value))
    return {value: code for code, value in enumerate(ordered)}
