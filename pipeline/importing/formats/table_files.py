"""Rows of tables in batches: CSV, Parquet, and the two text files of CelebA."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from latentloom.pipeline.storage.files import check_regular

_PARQUET = (".parquet", ".pq")
_BATCH_ROWS = 64  # rows with images in them
_BLOCK = 1 << 20  # bytes of a CSV file
PARTITION = "partition"
"""The column of splits of CelebA, of numbers."""
IMAGE_ID = "image_id"
"""The column of file names of CelebA."""

Rows = Iterator[dict[str, list[Any]]]


class Table(Protocol):
    """A table on disk, read column by column in bounded memory.

    Args:
        path: Its file.
        columns: Names of the columns; a field of a nested one is `image.bytes`.
        class_names: Names behind the numbers of a column, if the file has them.
        num_parts: Number of parts that are read one by one.
    """

    path: Path
    columns: list[str]
    class_names: dict[str, list[str]]

    @property
    def num_parts(self) -> int: ...

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields batches of the rows of a part: a list of values for each column."""
        ...


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
            raise ValueError(_damaged(path, error)) from error
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
                arrow.ParseOptions(delimiter=self._delimiter),
                arrow.ConvertOptions(include_columns=list(types), column_types=types),
            )
            for batch in batches:
                yield {name: batch.column(name).to_pylist() for name in columns}
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            raise ValueError(_damaged(self.path, error)) from error


class ParquetTable:
    """A Parquet file; a part is a row group."""

    def __init__(self, path: Path):
        import pyarrow as pa

        self.path = path
        file = self._open()
        schema = file.schema_arrow
        self.num_parts = file.num_row_groups
        self.columns = []
        for field in schema:
            nested = field.type if pa.types.is_struct(field.type) else ()
            self.columns += [f"{field.name}.{inner.name}" for inner in nested] or [field.name]
        self.class_names = _class_names(schema.metadata or {})

    def _open(self) -> Any:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return parquet.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(_damaged(self.path, error)) from error

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields the rows of a row group."""
        import pyarrow as pa

        try:
            batches = self._open().iter_batches(
                _BATCH_ROWS, row_groups=[part], columns=list(columns), use_threads=False
            )
            for batch in batches:
                found = {}
                for name in columns:
                    top, _, inner = name.partition(".")
                    nested = name not in batch.schema.names
                    array = batch.column(top if nested else name)
                    if nested:
                        array = array.flatten()[array.type.get_field_index(inner)]
                    found[name] = array.to_pylist()
                yield found
        except (pa.ArrowException, OSError) as error:
            raise ValueError(_damaged(self.path, error)) from error


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
            raise ValueError(_damaged(self.path, error)) from error

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


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Returns the names of classes that Hugging Face keeps in the schema of a file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        named = {name: spec["names"] for name, spec in features.items() if "names" in spec}
        return {name: [str(text) for text in names] for name, names in named.items()}
    except (KeyError, TypeError, ValueError):
        return {}


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"The table '{path}' cannot be read. Expected: an intact CSV file in UTF-8, with names in "
        f"its first line, or a Parquet file. Received: {' '.join(str(error).split())}. Write it "
        "again."
    )


def _unknown(path: Path, lines: list[list[str]]) -> str:
    return (
        f"The text file '{path}' is not laid out as CelebA's. Expected: `list_attr_celeba.txt` or "
        f"`list_eval_partition.txt`. Received: {lines[0][:5]}. Write it as CSV."
    )
