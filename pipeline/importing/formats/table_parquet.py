"""Parquet files as tables, whose sizes are checked before they are believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentloom.pipeline.importing.formats import parquet_pages
from latentloom.pipeline.importing.formats.table_protocol import Rows, check_distinct, damaged

_BATCH_ROWS = 64  # rows with images in them
_BUFFER = 1 << 20  # bytes of a column read at a time
_ROWS_A_BYTE = 8  # a row of a table takes a bit or more


class ParquetTable:
    """A Parquet file; a part is a row group.

    Raises:
        ValueError: If it is damaged, or has more rows than a file of its size can tell apart.
    """

    def __init__(self, path: Path):
        import pyarrow as pa

        self.path = path
        with self._open() as file:
            self._schema = schema = file.schema_arrow
            num_rows, self.num_parts = file.metadata.num_rows, file.num_row_groups
        if num_rows > (most := path.stat().st_size * _ROWS_A_BYTE):
            raise ValueError(damaged(path, f"{num_rows:,} rows in a file for {most:,} at most"))
        self.columns = []
        for field in schema:
            nested = field.type if pa.types.is_struct(field.type) else ()
            self.columns += [f"{field.name}.{inner.name}" for inner in nested] or [field.name]
        check_distinct(path, self.columns)
        self.texts = [name for name in self.columns if _is_text(self._type_of(name))]
        self.class_names = _class_names(schema.metadata or {})

    def _open(self) -> Any:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return parquet.ParquetFile(self.path, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(damaged(self.path, error)) from error

    def rows(self, part: int, columns: Sequence[str]) -> Rows:
        """Yields the rows of a row group.

        Raises:
            ValueError: If it is damaged or takes too much memory, or a column has lists.
        """
        import pyarrow as pa

        for name in columns:
            self._check_single(name)
        try:
            with self._open() as file:
                size = self._batch_rows(file.metadata.row_group(part), part, columns)
                for batch in file.iter_batches(
                    size, row_groups=[part], columns=list(columns), use_threads=False
                ):
                    yield {name: _column(batch, name).to_pylist() for name in columns}
        except (pa.ArrowException, OSError) as error:
            raise ValueError(damaged(self.path, error)) from error

    def _check_single(self, name: str) -> None:
        """Rejects a column with several values in a row, of which a byte may declare millions."""
        import pyarrow as pa

        kind = self._type_of(name)
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_nested(kind):
            raise ValueError(
                f"Column '{name}' of '{self.path}' has several values in a row. Expected: one "
                f"number, text, truth value or image file. Received: {kind}. Name another column "
                "with --image, --label or --factors."
            )

    def _type_of(self, name: str) -> Any:
        if name in self._schema.names:
            return self._schema.field(name).type
        top, _, inner = name.partition(".")
        return self._schema.field(top).type.field(inner).type

    def _batch_rows(self, group: Any, part: int, columns: Sequence[str]) -> int:
        """Returns how many rows are read at a time: their values may each be as large as a page."""
        largest = 1
        with self.path.open("rb") as stream:
            for index in range(group.num_columns):
                chunk = group.column(index)
                if chunk.path_in_schema in columns:
                    largest = max(largest, self._largest_page(stream, chunk, part))
        return max(1, min(_BATCH_ROWS, parquet_pages.MOST_INFLATED // largest))

    def _largest_page(self, stream: Any, chunk: Any, part: int) -> int:
        """Returns the bytes in memory of the largest page of a column of a row group."""
        starts = (chunk.data_page_offset, chunk.dictionary_page_offset)
        start, largest = min(start for start in starts if start), 0
        try:
            for page in parquet_pages.read_pages(stream, start, chunk.total_compressed_size):
                if page.inflated - page.packed > (most := parquet_pages.MOST_INFLATED):
                    raise ValueError(
                        f"a page of column '{chunk.path_in_schema}' in row group {part} inflates "
                        f"from {page.packed:,} to {page.inflated:,} bytes, by more than {most:,}"
                    )
                largest = max(largest, page.inflated)
        except ValueError as error:
            raise ValueError(damaged(self.path, error)) from error
        return largest


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_a(kind) for is_a in (pa.types.is_string, pa.types.is_large_string))


def _column(batch: Any, name: str) -> Any:
    """Returns a column of a batch, or a field of a nested one."""
    if name in batch.schema.names:
        return batch.column(name)
    top, _, inner = name.partition(".")
    array = batch.column(top)
    return array.flatten()[array.type.get_field_index(inner)]


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Returns the names of classes that Hugging Face keeps in the schema of a file."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        named = {name: spec["names"] for name, spec in features.items() if "names" in spec}
        return {name: [str(text) for text in names] for name, names in named.items()}
    except (KeyError, TypeError, ValueError):
        return {}
