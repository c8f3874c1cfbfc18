"""Tables of images, labels and factors: CSV and Parquet files, one row an image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing.bins import AskedBins, Bins
from latentloom.pipeline.importing.formats.image_decoding import Decoder, Headers
from latentloom.pipeline.importing.formats.table_columns import (
    SPLIT,
    Columns,
    Row,
    factor_columns,
    image_columns,
)
from latentloom.pipeline.importing.formats.table_files import (
    IMAGE_ID,
    PARTITION,
    PartitionedTable,
    SpacedTable,
    Table,
    open_table,
)
from latentloom.pipeline.importing.formats.table_survey import TableSurvey
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.source import batch_size, path_name, position_ids
from latentloom.pipeline.importing.splits import split_named
from latentloom.pipeline.storage.files import find

_CELEBA_PARTITION, _CELEBA_IMAGES = "list_eval_partition.txt", "img_align_celeba"


@dataclass(frozen=True)
class TableOptions:
    """Which columns of a table are what.

    Args:
        label: Column of the label; `label` by default.
        factors: Columns of the factors; none by default.
        image: Column of images; by default one of the usual names.
        split: Column of splits, or a file with the split of each image; by default `split`.
        root: Folder that paths begin at; by default that of the table.
        bins: Bins of factors that are numbers, by factor.
    """

    label: str | None = None
    factors: Sequence[str] | None = None
    image: str | None = None
    split: str | None = None
    root: str | None = None
    bins: Mapping[str, AskedBins] = field(default_factory=dict)


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
        tables = _open_tables(where, options)
        columns = _columns(tables[0][0], options)
        survey = TableSurvey(columns, Headers(form), options.bins)
        counts = [survey.read(table, split) for table, split in tables]
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
        total: Counter[str] = Counter()
        for count in (count for parts in self.counts for count in parts):
            total.update(count)
        return {split: total[split] for split in sorted(total, key=_order)}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; a row without a readable image or a value is a dead letter."""
        taken, dead, size = [], [], batch_size(self)
        for position, row in enumerate(self._rows(split)):
            codes = self._codes(row)
            image = row.image if isinstance(row.image, str) else codes
            if not isinstance(image, str):
                image = self.decoder(row.name, row.image)  # type: ignore[arg-type]
            if isinstance(image, str):
                dead.append(DeadLetter(row.name or self.name, position, image))
            else:
                taken.append((position, image, codes))
            if len(taken) + len(dead) == size:
                yield self._examples(taken), dead
                taken, dead = [], []
        yield self._examples(taken), dead

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
            bins = self.bins.get(name)
            code = self.codes[name].get(text) if bins is None else bins.code(float(text))
            if code is None:
                limits = "" if bins is None else f" of {bins.limits[0]:g} to {bins.limits[-1]:g}"
                return f"the value {text} of '{name}' is outside the bins{limits}; add a limit"
            codes.append(code)
        return codes

    def _examples(self, taken: list) -> Examples:
        codes = np.array([row[2] for row in taken], np.int64).reshape(-1, len(self.columns.fields))
        factors = dict(zip(self.columns.fields, codes.T, strict=True))
        ids = position_ids([row[0] for row in taken])
        return self.decoder.examples([row[1] for row in taken], factors, ids)


def _open_tables(where: str, options: TableOptions) -> list[tuple[Table, str]]:
    """Opens the tables; several have their split in their names, unless a column says it."""
    paths = [Path(path) for path in find(where)] or [Path(where)]
    for path in paths:
        check_source_text("The file name", str(path))
    tables = [_with_partition(open_table(path), options) for path in paths]
    for table in tables[1:]:
        if table.columns != tables[0].columns:
            raise ValueError(
                f"The tables of '{where}' differ in their columns. Expected: those of "
                f"'{tables[0].path}', {tables[0].columns}. Received: {table.columns} in "
                f"'{table.path}'. Import them one by one."
            )
    if len(paths) == 1 or _split_column(tables[0], options) is not None:
        return [(table, "train") for table in tables]
    return [(table, _split_of_name(table.path)) for table in tables]


def _split_of_name(path: Path) -> str:
    found = {split_named(word) for word in re.split(r"[-_.]", path.name)} - {None}
    if len(found) != 1:
        raise ValueError(
            f"The name of '{path}' does not tell its split. Expected: train, validation or test in "
            f"the name of each of several tables. Received: {sorted(map(str, found))}. Rename it, "
            "or name a column with --split."
        )
    return str(found.pop())


def _with_partition(table: Table, options: TableOptions) -> Table:
    """Returns a table with the splits of another file, if there is one."""
    folder, asked = table.path.parent, options.split
    if asked is None and isinstance(table, SpacedTable) and PARTITION not in table.columns:
        asked = _CELEBA_PARTITION if (folder / _CELEBA_PARTITION).is_file() else None
    if asked is None or asked in table.columns:
        return table
    for path in (folder / asked, Path(asked)):
        if path.is_file():
            (image, *_) = image_columns(table.path, table.columns, options.image)
            return PartitionedTable(table, open_table(path), image)
    raise ValueError(
        f"The table '{table.path}' has no such column of splits. Expected: one of {table.columns}, "
        f"or a file beside it. Received: split={asked}. Pass --split with one of them."
    )


def _split_column(table: Table, options: TableOptions) -> str | None:
    if isinstance(table, PartitionedTable):
        return PARTITION
    if options.split is not None:
        return options.split
    return next((name for name in table.columns if name.lower() == SPLIT), None)


def _columns(table: Table, options: TableOptions) -> Columns:
    folder = table.path.parent
    if options.root is not None:
        folder = Path(options.root)
    elif IMAGE_ID in table.columns and (folder / _CELEBA_IMAGES).is_dir():
        folder = folder / _CELEBA_IMAGES
    fields = factor_columns(table.path, table.columns, options.label, options.factors)
    for name in options.bins:
        if name not in fields and name not in fields.values():
            raise ValueError(
                f"There is no factor '{name}' for bins. Expected: some of {list(fields)}. "
                f"Received: bins of '{name}'. Name its column in --factors too."
            )
    image = image_columns(table.path, table.columns, options.image)
    split = _split_column(table, options)
    return Columns(folder, image, fields, split, table.class_names)


def _rows(tables: list[tuple[Table, str]], columns: Columns) -> Iterator[Row]:
    for table, split in tables:
        for part in range(table.num_parts):
            for batch in table.rows(part, columns.names):
                yield from columns.rows(batch, split)


def _order(split: str) -> int:
    return ("train", "validation", "test").index(split)
