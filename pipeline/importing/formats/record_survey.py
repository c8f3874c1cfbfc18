"""What all records of TFRecord files hold together, whatever their order."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from latentloom.augment.spelling import nearest
from latentloom.pipeline.importing.formats.image_decoding import Headers
from latentloom.pipeline.importing.formats.record_fields import (
    Flaw,
    RecordFields,
    Value,
    features_of,
    is_one_hot,
)
from latentloom.pipeline.importing.outcome import FAILURE_BUDGET
from latentloom.pipeline.importing.split_names import is_split_word
from latentloom.pipeline.importing.value_order import in_order
from latentloom.pipeline.storage.files import file_size
from latentloom.pipeline.storage.texts import printable
from latentloom.pipeline.storage.tfrecords import BadRecord, read_records


def records_of(paths: Sequence[str]) -> Iterator[tuple[str, bytes | BadRecord]]:
    """Streams the records of files, each with the path of its file."""
    return ((path, record) for path in paths for record in read_records(path, unpacks=True))


class Survey:
    """Reads all records once: their values, image headers and flaws.

    Args:
        fields: The fields to read.
        headers: The headers of the images.
    """

    def __init__(self, fields: RecordFields, headers: Headers):
        self.fields, self.headers = fields, headers
        self.values: list[set[Value]] = [set() for _ in fields.names]
        self.known: set[str] = set()
        self.intact = 0
        self._flaws: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._one_hot: Counter[bool] = Counter()

    def read(self, paths: Sequence[str]) -> int:
        """Reads the records of some files; returns their number, good and bad.

        Raises:
            ValueError: If damage hides more of the files than the failure budget allows.
        """
        count, num_bytes = 0, sum(file_size(path) or 0 for path in paths)
        for path, record in records_of(paths):
            _check_unread(path, record, num_bytes)
            if (
                self.fields.first
                and (found := is_one_hot(self.fields.names[0], record)) is not None
            ):
                self._one_hot[found] += 1
            row = self.fields.read(record)
            if isinstance(row, Flaw):
                self._add_flaw(row, path, record, count)
            else:
                self._check_no_splits(path, record)
                self.intact += 1
                for known, value in zip(self.values, row.values, strict=True):
                    known.add(value)
                self.headers.add(os.path.basename(path), io.BytesIO(row.image))
            count += 1
        return count

    def _add_flaw(self, flaw: Flaw, path: str, record: bytes | BadRecord, place: int) -> None:
        reason = record.reason if isinstance(record, BadRecord) else flaw.reason
        self._flaws[reason] += 1
        self._first.setdefault(reason, f"record {place} in '{os.path.basename(path)}'")
        features = features_of(record)
        self.known |= set() if isinstance(features, str) else set(features)
        if flaw.label is not None:
            self.values[0].add(flaw.label)

    def _check_no_splits(self, path: str, record: bytes | BadRecord) -> None:
        """Rejects a field of the first record with the name of a split, unless it is used."""
        features = {} if self.intact else features_of(record)
        for field, found in {} if isinstance(features, str) else features.items():
            values = [printable(value.decode(errors="replace")) for value in found.bytes_list.value]
            if field not in self.fields.names and len(values) == 1 and is_split_word(values[0]):
                raise ValueError(
                    f"The records of '{path}' seem to have their splits in a field. Expected: one "
                    f"split a file, told by its name. Received: {field}='{values[0]}'. Write a "
                    f"file for each split; or pass --factors {field} if it is a factor."
                )

    def check(self, path: str) -> None:
        """Rejects a field that no record has, records that are all unusable, and `--first` of 0, 1.

        Args:
            path: Path of the first file, for messages.

        Raises:
            ValueError: With the reasons.
        """
        label = self.fields.names[0]
        if self._one_hot[True] and not self._one_hot[False]:
            raise ValueError(
                f"The labels '{label}' of '{path}' are one-hot: a 1 among zeros. Expected: with "
                f"--first, several labels of which the first is the class. Received: --label "
                f"{label} --first. Write the number of the class into a field."
            )
        if self.intact:
            return
        image = self.fields.image_field(self.known)
        for field in (image, *self.fields.names):
            if self.known and field not in self.known:
                option = "--image" if field == image else "--label and --factors"
                raise ValueError(
                    f"The records of '{path}' have no field '{field}'. Expected: one of "
                    f"{sorted(self.known)}. Received: '{field}'. {nearest(field, self.known)} "
                    f"Pass {option} to name {'it' if field == image else 'fields'}."
                )
        told = [
            f"{count} with the reason: {printable(reason)}, the first {self._first[reason]}"
            for reason, count in self._flaws.most_common(3)
        ]
        raise ValueError(
            f"All records of '{path}' are unusable. Expected: tf.train.Example records with an "
            f"image in '{image}' and one label in '{label}'. Received: {'; '.join(told) or 'none'}."
            " Repair the files, or name other fields with --image and --label."
        )

    def codes(self) -> dict[str, Mapping[Value, int]]:
        """Returns the code of each value, by field."""
        return dict(zip(self.fields.names, map(_number, self.values), strict=True))


def _check_unread(path: str, record: bytes | BadRecord, num_bytes: int) -> None:
    """Rejects damage after which a part of the files cannot be read, however many records it has.

    Args:
        path: Path of the file.
        record: A record, perhaps the one where reading ends.
        num_bytes: Size of all files.
    """
    if isinstance(record, BadRecord) and record.unread > FAILURE_BUDGET * num_bytes:
        raise ValueError(
            f"'{path}' cannot be read to its end. Expected: a whole TFRecord file. Received: "
            f"record {record.index}: {record.reason}, and nobody knows how many follow. Copy or "
            "write the file again."
        )


def _number(values: set[Value]) -> Mapping[Value, int]:
    """Numbers values: integers before texts, texts of numbers by their size."""
    texts = in_order(value for value in values if isinstance(value, str))
    integers = sorted(value for value in values if isinstance(value, int))
    return {value: code for code, value in enumerate([*integers, *texts])}
