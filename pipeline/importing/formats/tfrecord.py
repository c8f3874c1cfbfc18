"""TFRecord files of `tf.train.Example` records with an image and a label."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing.formats.image_decoding import Decoder, Headers
from latentloom.pipeline.importing.formats.record_fields import Flaw, RecordFields, Value
from latentloom.pipeline.importing.formats.record_survey import Survey, records_of
from latentloom.pipeline.importing.formats.split_files import split_files
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import (
    Ignored,
    batch_size,
    in_batches,
    path_name,
    position_ids,
)
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.storage.files import find


@dataclass(frozen=True)
class TFRecordSource:
    """Records of TFRecord files, plain or packed by GZIP or ZLIB.

    Args:
        files: Paths of each split, sorted.
        reads: The fields that become image, label and factors.
        codes: Code of each value of a factor.
        splits: Number of records of each split, good and bad.
        decoder: Decodes the images to one shape.
        ignored: What an import leaves out.
    """

    name: str
    files: dict[str, list[str]]
    reads: RecordFields
    codes: dict[str, Mapping[Value, int]]
    splits: dict[str, int]
    decoder: Decoder
    label_field: str
    observation: str = "image"
    ignored: list[Ignored] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        where: str,
        label: str | None = None,
        factors: Sequence[str] | None = None,
        form: ImageForm = AS_STORED,
        channels: int | None = None,
        splits: SplitRule | None = None,
        image: str | None = None,
        *,
        first: bool = False,
    ) -> TFRecordSource:
        """Reads all records once: counts them, lists the values of the fields and reads headers.

        Args:
            where: Glob of the files.
            label: Field of the label; `label` by default.
            factors: Fields of the factors; none by default.
            form: The form that images get.
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.
            splits: Tells the splits of files; by their names alone by default.
            image: Field of the image; `image`, `image/encoded` or `image_raw` by default.
            first: Whether the first of several labels is the label.

        Raises:
            FileNotFoundError: If no file matches.
            ValueError: If a field is missing, no record is intact, a split cannot be told, images
                differ in size and no size was asked for or are masks, or the name of a file is
                not plain text.
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
        reads = RecordFields(list(fields.values()), image, first, form.ground is not None)
        files, ignored = split_files(where, paths, splits or SplitRule())
        survey = Survey(reads, Headers(form))
        sizes = {split: survey.read(found) for split, found in files.items()}
        survey.check(paths[0])
        codes, decoder = survey.codes(), survey.headers.decoder(channels)
        return cls(
            name=path_name(where.split("*")[0].rstrip("-_.")),
            files=files,
            reads=reads,
            codes={name: codes[field] for name, field in fields.items()},
            splits=sizes,
            decoder=decoder.levelled(where, _images(files, reads)),
            label_field=fields["label"],
            ignored=[*ignored, *decoder.ignored],
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
        for rows, dead in in_batches(self._rows(split), batch_size(self)):
            yield self._examples(rows), dead

    def _rows(self, split: str) -> Iterator[tuple | DeadLetter]:
        for position, (path, record) in enumerate(records_of(self.files[split])):
            row, name = self.reads.read(record), os.path.basename(path)
            if isinstance(row, Flaw):
                yield DeadLetter(name, position, row.reason, self._label(row.label))
                continue
            image = self.decoder(name, io.BytesIO(row.image))
            if isinstance(image, str):
                yield DeadLetter(name, position, image, self._label(row.values[0]))
            else:
                yield position, image, row.values

    def _label(self, value: Value | None) -> int | None:
        return None if value is None else self.codes["label"].get(value)

    def _examples(self, rows: list) -> Examples:
        factors = {
            name: np.array([codes[row[2][column]] for row in rows], np.int64)
            for column, (name, codes) in enumerate(self.codes.items())
        }
        ids = position_ids([row[0] for row in rows])
        return self.decoder.examples([row[1] for row in rows], factors, ids)


def _images(files: Mapping[str, list[str]], reads: RecordFields) -> Iterator[IO[bytes]]:
    """Yields the images of intact records."""
    for _, record in records_of([path for paths in files.values() for path in paths]):
        row = reads.read(record)
        if not isinstance(row, Flaw):
            yield io.BytesIO(row.image)
