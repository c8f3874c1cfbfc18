"""Rows of tables in batches: CSV, Parquet, and the two text files of CelebA."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from latentloom.pipeline.importing.formats.table_parquet import ParquetTable
from latentloom.pipeline.importing.formats.table_protocol import Rows, Table, damaged
from latentloom.pipeline.storage.files import check_regular

_PARQUET = (".parquet", ".pq")
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
    if path.suffix.lower() in _PARQUET:
        return ParquetTable(path)
    return SpacedTable(path) if path.suffix.lower() == ".txt" else CsvTable(path)


class CsvTable:
    """A CSV file whose first line has the names of the columns; all values are texts."""

    def __init__(self, path: Path):
        self.path, self.class_names, self.num_parts = path, {}, 1
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                line = stream.readline()
        except UnicodeDecodeError as error:
            raise ValueError(damaged(path, error)) from error
        self._delimiter = max(",;\t", key=line.count)
        self.columns = next(csv.reader([line], delimiter=self._delimiter), [])
        if repeated := [name for name, count in Counter(self.columns).items() if count > 1]:
            raise ValueError(
                f"'{path}' has two columns of one name. Expected: distinct names in the first "
                f"line. Received: {repeated}. Rename one."
            )

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields the rows in blocks of a megabyte."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        types = dict.fromkeys(columns, pa.string())
        try:
            batches = arrow.open_csv(
                self.path,
                arrow.ReadOptions(use_threads=False, block_size=_BLOCK),
                arrow.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
                arrow.ConvertOptions(include_columns=list(types), column_types=types),
            )
            for batch in batches:
                yield {name: batch.column(name).to_pylist() for name in columns}
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
        self._skipped = 2 if len(first) == 1 else 0
        names = second if self._skipped else [PARTITION]
        self.columns = [IMAGE_ID, *names]
        if len(first) != (1 if self._skipped else 2) or not names:
            raise ValueError(_unknown(path, [first, second]))

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
                raise ValueError(_unknown(self.path, [row]))
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


def _unknown(path: Path, lines: list[list[str]]) -> str:
    return (
        f"The text file '{path}' is not laid out as CelebA's. Expected: `list_attr_celeba.txt` or "
        f"`list_eval_partition.txt`. Received: {lines[0][:5]}. Write it as CSV."
    )
