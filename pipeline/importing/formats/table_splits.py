"""Rejects tables that tell splits where nobody looks, and images that stand in several."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

import numpy as np

from latentloom.pipeline.importing.formats.table_columns import Columns, Row, cell_text
from latentloom.pipeline.importing.formats.table_protocol import Table
from latentloom.pipeline.importing.split_names import NONE, SPLITS, TRAIN, SplitRule, is_split_word


def check_no_split_column(where: str, table: Table, columns: Columns) -> None:
    """Rejects a column whose values are names of splits, unless it is used.

    Args:
        where: The tables, for the error.
        table: The first table.
        columns: The columns that are used, none of splits.

    Raises:
        ValueError: If its first rows have nothing else in a column.
    """
    unused = [name for name in table.texts if name not in columns.names]
    batch = next(iter(table.rows(0, unused)), {}) if unused and table.num_parts else {}
    for name, cells in batch.items():
        texts = list(map(cell_text, cells))
        if texts and all(map(is_split_word, texts)):
            raise ValueError(
                f"The column '{name}' of '{where}' seems to have the splits. Expected: --split "
                f"with a column, or none of splits. Received: {name}='{texts[0]}'. Pass --split "
                f"{quote(name)}; or --factors {quote(name)} if all rows are for training and it "
                "is a factor."
            )


class PathCheck:
    """What the paths of images say together: splits in their folders, and images in several splits.

    Args:
        where: The tables, for errors.
        columns: The columns that are used.
    """

    def __init__(self, where: str, columns: Columns):
        self._where, self._columns = where, columns
        self._splits: dict[str, str] = {}
        self._rows, self._paths, self._told = array("q"), array("q"), array("b")
        self._count = 0

    def add(self, row: Row) -> None:
        """Adds a row, in the order of the tables."""
        self._count += 1
        if not isinstance(row.image, Path) or row.split == NONE:
            return
        for part in _folders(row.name):
            self._splits.setdefault(SplitRule().tell(part), row.name)
        self._rows.append(self._count)
        self._paths.append(hash(row.image))
        self._told.append(SPLITS.index(row.split))

    def check(self, splits: Iterable[str]) -> None:
        """Checks the rows that were added.

        Args:
            splits: The splits that they were given.

        Raises:
            ValueError: If folders tell other splits than train while all rows are for training, or
                two rows put one image into different splits.
        """
        if self._columns.split is None and set(splits) <= {TRAIN} and len(self._splits) > 1:
            image = self._columns.image[-1]
            raise ValueError(
                f"The paths of '{self._where}' tell splits. Expected: --split with their column. "
                f"Received: {' and '.join(map(repr, list(self._splits.values())[:2]))}. Pass "
                f"--split {quote(image)}; or --split {quote(f'{image},*={TRAIN}')} if all are for "
                "training."
            )
        self._check_repeated()

    def _check_repeated(self) -> None:
        paths, splits = np.array(self._paths), np.array(self._told)
        order = np.lexsort((splits, paths))
        differ = splits[order][1:] != splits[order][:-1]
        found = np.flatnonzero((paths[order][1:] == paths[order][:-1]) & differ)
        if len(found):
            first, second = sorted(self._rows[row] for row in order[found[0] : found[0] + 2])
            raise ValueError(
                f"Two rows of '{self._where}' put one image into different splits. Expected: one "
                f"split an image, or tests would know it from training. Received: rows {first} and "
                f"{second} below the names. Keep one of them."
            )


def _folders(path: str) -> list[str]:
    """Returns the folders in a path that are words for splits."""
    return [part for part in path.replace("\\", "/").split("/")[:-1] if is_split_word(part)]
