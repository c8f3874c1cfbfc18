"""Opens tables, and finds out which columns have what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latentloom.pipeline.dataset.names import check_source_text
from latentloom.pipeline.importing.bins import AskedBins
from latentloom.pipeline.importing.formats.split_files import split_files
from latentloom.pipeline.importing.formats.table_columns import (
    SPLIT,
    Columns,
    factor_columns,
    image_columns,
)
from latentloom.pipeline.importing.formats.table_files import (
    IMAGE_ID,
    PARTITION,
    SpacedTable,
    open_table,
    unknown_text,
)
from latentloom.pipeline.importing.formats.table_partition import PartitionedTable
from latentloom.pipeline.importing.formats.table_protocol import Table
from latentloom.pipeline.importing.source import Ignored
from latentloom.pipeline.importing.split_names import TRAIN, SplitRule
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
        rule: Tells splits by the values of this column, or without it by the names of files.
        root: Folder that paths begin at; by default that of the table.
        bins: Bins of factors that are numbers, by factor.
    """

    label: str | None = None
    factors: Sequence[str] | None = None
    image: str | None = None
    split: str | None = None
    rule: SplitRule = field(default_factory=SplitRule)
    root: str | None = None
    bins: Mapping[str, AskedBins] = field(default_factory=dict)


def column_and_rule(option: str | None) -> tuple[str | None, SplitRule]:
    """Reads `--split` of a table: a column or a file, and `NAME=SPLIT`, with commas between.

    Raises:
        ValueError: If a part names no split.
    """
    parts = (option or "").split(",")
    patterns = [part for part in parts if "=" in part]
    column = ",".join(part for part in parts if "=" not in part)
    return column or None, SplitRule.parse(",".join(patterns) if patterns else None)


def open_tables(where: str, options: TableOptions) -> tuple[list[tuple[Table, str]], list[Ignored]]:
    """Opens the tables; several have their split in their names, unless a column says it."""
    paths = find(where) or [where]
    for path in paths:
        check_source_text("The file name", path)
    tables = {path: _with_partition(open_table(Path(path)), options) for path in paths}
    first, *others = tables.values()
    if isinstance(first, SpacedTable) and PARTITION in first.columns:
        raise ValueError(unknown_text(first.path, [first.first_line]))
    for table in others:
        if table.columns != first.columns:
            raise ValueError(
                f"The tables of '{where}' differ in their columns. Expected: those of "
                f"'{first.path}', {first.columns}. Received: {table.columns} in "
                f"'{table.path}'. Import them one by one."
            )
    if _split_column(first, options) is not None:
        return [(table, TRAIN) for table in tables.values()], []
    files, left_out = split_files(where, paths, options.rule)
    told = {path: split for split, found in files.items() for path in found}
    return [(tables[path], told[path]) for path in paths if path in told], left_out


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


def columns_of(where: str, table: Table, options: TableOptions) -> Columns:
    """Returns the columns of a table that an import uses.

    Args:
        where: The source, for messages.
        table: The table, or the first of several.
        options: Which column is what.

    Raises:
        ValueError: If a column is missing, or bins are for no factor.
    """
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
    for name in fields.values():
        _check_class_names(table, name)
    image = image_columns(table.path, table.columns, options.image)
    split = _split_column(table, options)
    return Columns(folder, image, fields, split, table.class_names, options.rule, where)


def _check_class_names(table: Table, column: str) -> None:
    """Rejects blank and repeated names behind the numbers of a column."""
    names = [" ".join(name.split()) for name in table.class_names.get(column, [])]
    if bad := [name for place, name in enumerate(names) if not name or name in names[:place]]:
        raise ValueError(
            f"The names of the classes of column '{column}' in '{table.path}' are invalid. "
            f"Expected: distinct names, none of them blank. Received: {bad[0]!r} among "
            f"{names[:10]}. Rename it in the features of the data set."
        )
