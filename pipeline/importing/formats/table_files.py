"""Rows of tables in batches: CSV, Parquet, and the two text files of CelebA."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from latentloom.pipeline.importing.formats.table_parquet import ParquetTable
from latentloom.pipeline.importing.formats.table_protocol import (
    Rows,
    Table,
    check_distinct,
    damaged,
)
from latentloom.pipeline.storage.files import check_regular

_PARQUET = (".parquet", ".pq")
_OTHERS = {
    b"{": "a JSON file",
    b"[": "a JSON file",
    b"PK\3\4": "a ZIP archive or a workbook of Excel",
    b"\x1f\x8b": "a file packed by GZIP",
    b"ARROW1": "an Arrow file",
}
"""What other files begin with."""
_LOOKED_AT = 1 << 12  # bytes at the beginning of a file
_BATCH_ROWS = 64
_BLOCK = 1 << 20  # bytes of a CSV file
PARTITION = "partition"
"""The column of splits of CelebA, of numbers."""
IMAGE_ID = "image_id"
"""The column of file names of CelebA."""


def open_table(path: Path) -> Table:
    """Opens a table by the ending of its name.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is damaged, empty or no table.
    """
    check_regular(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"The table '{path}' is missing. Expected: a CSV or Parquet file. "
            f"Received: SOURCE=table:{path}. Check the path."
        )
    with path.open("rb") as stream:
        start = stream.read(_LOOKED_AT)
    for begin, kind in _OTHERS.items():
        if start.lstrip().startswith(begin):
            raise ValueError(damaged(path, f"{kind}, which is not read as a table"))
    if path.suffix.lower() in _PARQUET or start.startswith(b"PAR1"):
        return ParquetTable(path)
    is_spaced = path.suffix.lower() == ".txt" and not re.search(rb"[,;\t]", start.split(b"\n")[0])
    return SpacedTable(path) if is_spaced else CsvTable(path)


class CsvTable:
    """A CSV file whose first line has the names of the columns; all values are texts."""

    def __init__(self, path: Path):
        self.path, self.class_names, self.num_parts = path, {}, 1
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                line = stream.readline(_BLOCK)
        except UnicodeDecodeError as error:
            raise ValueError(damaged(path, error)) from error
        self._delimiter = max(",;\t", key=line.count)
        stored = next(csv.reader([line], delimiter=self._delimiter), [])
        self.columns = self.texts = [name.strip() for name in stored]
        check_distinct(path, self.columns)
        self._stored = dict(zip(self.columns, stored, strict=True))

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields the rows in blocks of a megabyte."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        stored = {name: self._stored[name] for name in columns}
        types = dict.fromkeys(stored.values(), pa.string())
        try:
            batches = arrow.open_csv(
                self.path,
                arrow.ReadOptions(use_threads=False, block_size=_BLOCK),
                arrow.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                arrow.ConvertOptions(include_columns=list(types), column_types=types),
            )
            for batch in batches:
                yield {name: batch.column(old).to_pylist() for name, old in stored.items()}
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise ValueError(damaged(self.path, error)) from error


class SpacedTable:
    """A text file of CelebA: file names and numbers between spaces, with or without names above.

    `list_attr_celeba.txt` has the number of rows in its first line and names in its second.
    """

    def __init__(self, path: Path):
        self.path, self.class_names, self.num_parts = path, {}, 1
        lines = self._lines()
        first, second = next(lines, []), next(lines, [])
        self.first_line = first
        self._skipped = 2 if len(first) == 1 else 0
        names = second if self._skipped else [PARTITION]
        self.columns = self.texts = [IMAGE_ID, *names]
        if len(first) != (1 if self._skipped else 2) or not names:
            raise ValueError(unknown_text(path, [first, second]))

    def _lines(self) -> Iterator[list[str]]:
        try:
            with self.path.open(encoding="utf-8") as stream:
                yield from (line.split() for line in stream if line.strip())
        except UnicodeDecodeError as error:
            raise ValueError(damaged(self.path, error)) from error

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields the rows in batches."""
        places = [self.columns.index(name) for name in columns]
        batch: list[list[str]] = []
        for number, row in enumerate(self._lines()):
            if number < self._skipped:
                continue
            if len(row) != len(self.columns):
                raise ValueError(unknown_text(self.path, [row]))
            batch.append(row)
            if len(batch) == _BATCH_ROWS:
                yield _columns(batch, columns, places)
                batch = []
        if batch:
            yield _columns(batch, columns, places)


def _columns(
    rows: Iterable[list[str]], names: Sequence[str], places: Sequence[int]
) -> dict[str, list[str]]:
    listed = list(rows)
    found = zip(names, places, strict=True)
    return {name: [row[place] for row in listed] for name, place in found}


def unknown_text(path: Path, lines: list[list[str]]) -> str:
    """Returns the message that a text file is none of CelebA's, with its first line."""
    return (
        f"The text file '{path}' is not laid out as CelebA's. Expected: `list_attr_celeba.txt` or "
        f"`list_eval_partition.txt`. Received: {lines[0][:5]}. Write it as CSV."
    )
