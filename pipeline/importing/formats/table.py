"""Tables of images, labels and factors: CSV and Parquet files, one row an image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.bins import Bins
from latentloom.pipeline.importing.formats.image_decoding import Decoder, Headers
from latentloom.pipeline.importing.formats.table_columns import Columns, Row
from latentloom.pipeline.importing.formats.table_opening import (
    TableOptions,
    columns_of,
    open_tables,
)
from latentloom.pipeline.importing.formats.table_protocol import Table
from latentloom.pipeline.importing.formats.table_splits import check_no_split_column
from latentloom.pipeline.importing.formats.table_survey import TableSurvey
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import (
    Ignored,
    batch_size,
    in_batches,
    path_name,
    position_ids,
)
from latentloom.pipeline.importing.split_names import NONE, SPLITS, TRAIN


@dataclass(frozen=True)
class TableSource:
    """Images whose label and factors stand in the rows of tables.

    Args:
        tables: The tables, with the split of the rows of each unless a column says it.
        columns: The columns that are used.
        codes: Code of each value of a factor without bins.
        bins: Bins of the others.
        counts: Number of rows of each split in each part of each table.
        decoder: Decodes the images to one shape.
        ignored: What an import leaves out.
    """

    name: str
    tables: list[tuple[Table, str]]
    columns: Columns
    codes: dict[str, dict[str, int]]
    bins: dict[str, Bins]
    counts: list[list[Counter[str]]]
    decoder: Decoder
    label_field: str
    observation: str = "image"
    ignored: list[Ignored] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        where: str,
        options: TableOptions,
        form: ImageForm = AS_STORED,
        channels: int | None = None,
    ) -> TableSource:
        """Reads all rows once: counts them, lists the values of columns and reads headers.

        Args:
            where: Path of a table, or a pattern of several with the same columns.
            options: Which column is what.
            form: The form that images get.
            channels: 1 to read every image as grey, 3 as RGB, or None to go by the images.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If a table is damaged, a column is missing or unfit, or images differ in
                size and no size was asked for, or are masks.
        """
        tables, ignored = open_tables(where, options)
        columns = columns_of(where, tables[0][0], options)
        survey = TableSurvey(columns, Headers(form), options.bins)
        counts = [survey.read(table, split) for table, split in tables]
        columns.check_splits()
        _check_rows(where, tables, columns, counts)
        survey.paths.check(_total(counts))
        decoder = survey.headers.decoder(channels)
        images = (row.image for row in _rows(tables, columns))
        files = (image for image in images if not isinstance(image, str))
        return cls(
            name=path_name(where.split("*")[0].rstrip("-_.") or "table"),
            tables=tables,
            columns=columns,
            codes=survey.codes(),
            bins=survey.fitted(),
            counts=counts,
            decoder=decoder.levelled(where, files),
            label_field=columns.fields["label"],
            ignored=[*ignored, *_left_out(columns, counts), *decoder.ignored],
        )

    @property
    def description(self) -> str:
        """What the tables are."""
        return f"Images listed in {len(self.tables)} tables."

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        """Event shape of the images."""
        return self.decoder.image_shape

    @property
    def factors(self) -> dict[str, list[str]]:
        """Value names of each factor."""
        known = {name: bins.names for name, bins in self.bins.items()}
        return {name: known.get(name) or list(self.codes[name]) for name in self.columns.fields}

    @property
    def splits(self) -> dict[str, int]:
        """Number of rows of each split, good and bad."""
        total = _total(self.counts)
        return {split: total[split] for split in SPLITS if total[split]}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; a row without a readable image or a value is a dead letter."""
        for taken, dead in in_batches(self._decoded(split), batch_size(self)):
            yield self._examples(taken), dead

    def _decoded(self, split: str) -> Iterator[tuple | DeadLetter]:
        for position, row in enumerate(self._rows(split)):
            codes = self._codes(row)
            image = row.image if isinstance(row.image, str) else codes
            if not isinstance(image, str):
                image = self.decoder(row.name, row.image)  # type: ignore[arg-type]
            if isinstance(image, str):
                label = self._code("label", row.values[0])
                yield DeadLetter(row.name or self.name, position, image, label)
            else:
                yield position, image, codes

    def _rows(self, split: str) -> Iterator[Row]:
        """Yields the rows of a split; parts without any are not read."""
        for (table, told), counts in zip(self.tables, self.counts, strict=True):
            for part, count in enumerate(counts):
                batches = table.rows(part, self.columns.names) if count[split] else ()
                for batch in batches:
                    yield from (r for r in self.columns.rows(batch, told) if r.split == split)

    def _codes(self, row: Row) -> list[int] | str:
        """Returns the codes of the values of a row, or the reason why it has none."""
        if isinstance(row.image, str):
            return row.image
        codes = []
        for name, text in zip(self.columns.fields, row.values, strict=True):
            code, bins = self._code(name, text), self.bins.get(name)
            if code is None:
                limits = "" if bins is None else f" of {bins.limits[0]:g} to {bins.limits[-1]:g}"
                return f"the value {text} of '{name}' is outside the bins{limits}; add a limit"
            codes.append(code)
        return codes

    def _code(self, name: str, text: str) -> int | None:
        bins = self.bins.get(name)
        if bins is None:
            return self.codes[name].get(text)
        try:
            return bins.code(float(text))
        except ValueError:
            return None

    def _examples(self, taken: list) -> Examples:
        codes = np.array([row[2] for row in taken], np.int64).reshape(-1, len(self.columns.fields))
        factors = dict(zip(self.columns.fields, codes.T, strict=True))
        ids = position_ids([row[0] for row in taken])
        return self.decoder.examples([row[1] for row in taken], factors, ids)


def _check_rows(
    where: str,
    tables: Sequence[tuple[Table, str]],
    columns: Columns,
    counts: Sequence[Sequence[Counter[str]]],
) -> None:
    """Rejects tables without rows, and splits in a column that is not used."""
    total = _total(counts)
    if not total.total():
        raise ValueError(
            f"'{where}' has no rows. Expected: a row for each image below the names of the "
            "columns. Received: none. Check the file."
        )
    if columns.split is None and set(total) <= {TRAIN}:
        check_no_split_column(where, tables[0][0], columns)


def _total(counts: Sequence[Sequence[Counter[str]]]) -> Counter[str]:
    return sum((count for parts in counts for count in parts), Counter())


def _left_out(columns: Columns, counts: Sequence[Sequence[Counter[str]]]) -> list[Ignored]:
    """Returns the rows that `--split` leaves out."""
    names = [name for name, split in columns.told.items() if split == NONE]
    count = _total(counts)[NONE]
    return [Ignored("rows that --split leaves out", count, names[0])] if count else []


def _rows(tables: list[tuple[Table, str]], columns: Columns) -> Iterator[Row]:
    for table, split in tables:
        for part in range(table.num_parts):
            for batch in table.rows(part, columns.names):
                yield from (row for row in columns.rows(batch, split) if row.split != NONE)
