"""A folder of image files a class, and a table beside them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.exporting.outputs import FILE_NAME, METADATA
from latentloom.pipeline.exporting.rows import Row, as_json, column_types, rows
from latentloom.pipeline.exporting.sinks import Files, sink
from latentloom.pipeline.storage.files import make_folders

_LONGEST_NAME = 200  # bytes


def write_folder(dataset: DatasetDir, folder: str, done: Callable[[int], None]) -> Files:
    """Writes `SPLIT/CLASS/KEY.png` and one table with names, ids and provenance.

    Args:
        dataset: The data set, of images.
        folder: Where to write.
        done: Called with the number of records after each.

    Returns:
        The table; it lists the images.

    Raises:
        ValueError: If a class has a name that no folder can have.
    """
    _check_names(dataset.manifest.class_names)
    others = list(column_types(dataset))
    columns = [FILE_NAME, "split", *dataset.manifest.factors, *others]
    files = Files()
    with (
        sink(folder, METADATA, files) as file,
        io.TextIOWrapper(io.BufferedWriter(file), encoding="utf-8", newline="") as text,
    ):
        table = csv.writer(text, lineterminator="\n")
        table.writerow(columns)
        for split, row in _all_rows(dataset):
            name = os.path.join(split, dataset.manifest.class_names[row.codes["label"]])
            path = os.path.join(name, f"{row.key}.png")
            make_folders(os.path.join(folder, name))
            with open(os.path.join(folder, path), "wb") as image:
                image.write(bytes(row.observation))
            known = row.named(dataset).values()
            cells = (row.provenance.get(column) for column in others)
            table.writerow([path, split, *known, *map(_cell, cells)])
            done(1)
    return files


def _all_rows(dataset: DatasetDir) -> Iterator[tuple[str, Row]]:
    for split, shards in dataset.splits.items():
        for index in range(len(shards)):
            yield from ((split, row) for row in rows(dataset, split, index))


def _cell(value: object) -> object:
    """Returns a value as a cell: lists and truth values as JSON."""
    return as_json(value) if isinstance(value, (list, bool)) else value


def _check_names(names: list[str]) -> None:
    """Rejects names of classes that no folder can have, or that `import` would not read."""
    for name in names:
        if set(name) & {"/", "\\"} or name.startswith(".") or len(name.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"Class '{name}' cannot be a folder. Expected: names of at most {_LONGEST_NAME} "
                "bytes without slashes, and no dot in front. Received: "
                f"class={name!r}. Export with --to parquet or webdataset."
            )
