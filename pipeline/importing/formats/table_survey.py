"""Reads all rows of tables once, before any image is decoded."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from latentloom.pipeline.importing.bins import AskedBins, Bins
from latentloom.pipeline.importing.formats.image_decoding import Headers
from latentloom.pipeline.importing.formats.table_columns import Columns, Row
from latentloom.pipeline.importing.formats.table_protocol import Table
from latentloom.pipeline.importing.formats.table_splits import PathCheck
from latentloom.pipeline.importing.split_names import NONE, TRAIN
from latentloom.pipeline.importing.value_order import in_order

MOST_VALUES = 256
"""Largest number of values of a factor without bins."""


class TableSurvey:
    """What all rows hold together, whatever their order.

    Args:
        columns: The columns.
        headers: The headers of the images.
        asked: Bins of factors, by factor or column.
    """

    def __init__(self, columns: Columns, headers: Headers, asked: Mapping[str, AskedBins]):
        self.headers, self.paths = headers, PathCheck(columns.where, columns)
        self._columns = columns
        fields = columns.fields.items()
        found = {name: asked.get(name, asked.get(column)) for name, column in fields}
        self._asked = {name: bins for name, bins in found.items() if bins is not None}
        self._numbers = {name: array("d") for name in self._asked}
        self._texts: dict[str, set[str]] = {name: set() for name in columns.fields}

    def read(self, table: Table, split: str) -> list[Counter[str]]:
        """Reads the rows of a table; returns the number of each split in each part."""
        counts: list[Counter[str]] = []
        for part in range(table.num_parts):
            counts.append(Counter())
            for batch in table.rows(part, self._columns.names):
                for row in self._columns.rows(batch, split):
                    counts[-1][row.split] += 1
                    self.paths.add(row)
                    if row.split != NONE:
                        self._add(table.path, row)
        return counts

    def _add(self, path: Path, row: Row) -> None:
        if isinstance(row.image, str):
            self.headers.add_unusable(row.name or path.name, row.image)
            if "label" in self._texts and (label := row.values[0]):
                self._texts["label"].add(label)
            return
        self.headers.add(row.name or path.name, row.image)
        for name, text in zip(self._columns.fields, row.values, strict=True):
            if name in self._asked:
                number = _number(self._columns.fields[name], text)
                if row.split == TRAIN:
                    self._numbers[name].append(number)
                continue
            self._texts[name].add(text)
            if name != "label" and len(self._texts[name]) > MOST_VALUES:
                raise ValueError(
                    f"Factor '{name}' of '{path}' has too many values. Expected: at most "
                    f"{MOST_VALUES}. Received: '{text}' as one more. Pass --bins {name}=3 for "
                    "numbers, or drop it from --factors."
                )

    def fitted(self) -> dict[str, Bins]:
        """Returns the bins of factors, fitted to the training rows."""
        return {name: asked.fit(name, self._numbers[name]) for name, asked in self._asked.items()}

    def codes(self) -> dict[str, dict[str, int]]:
        """Returns the code of each text; numbers are in their order, texts in theirs."""
        found = {name: texts for name, texts in self._texts.items() if name not in self._asked}
        return {name: {t: code for code, t in enumerate(in_order(v))} for name, v in found.items()}


def _number(column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(
            f"Column '{column}' is unfit for bins. Expected: numbers. Received: '{text}'. Drop "
            "--bins for it, or repair the table."
        )
    return number
