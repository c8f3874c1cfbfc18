"""Parquet files as Hugging Face `datasets` reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.exporting.croissant import write_croissant
from latentloom.pipeline.exporting.rows import (
    FLOAT,
    INTEGER,
    TEXT,
    TEXTS,
    TRUTH,
    Row,
    column_types,
    rows,
)
from latentloom.pipeline.exporting.sinks import Files, sink

GROUP_ROWS, GROUP_BYTES = 1000, 32 << 20
"""Most rows of a row group, and bytes of their observations, which are in memory together."""
_HUGGING_FACE = b"huggingface"


def write_parquet(dataset: DatasetDir, folder: str, done: Callable[[int], None]) -> Files:
    """Writes one Parquet file a shard, and `_croissant.json`.

    Columns: `image` with `bytes` (PNG) and `path`, `observation`, a list of float32, or `words`,
    pairs of word and count; `label` and every other factor as codes, whose names are in the schema
    as Hugging Face keeps those of its `ClassLabel`; id and provenance.

    Args:
        dataset: The data set.
        folder: Where to write.
        done: Called with the number of records of each row group.

    Returns:
        The files.
    """
    from pyarrow import parquet

    schema, files = _schema(dataset), Files()
    for split, shards in dataset.splits.items():
        for index in range(len(shards)):
            name = f"{split}-{index:05d}-of-{len(shards):05d}.parquet"
            with (
                sink(folder, name, files) as file,
                parquet.ParquetWriter(file, schema) as writer,
            ):
                for group in _groups(rows(dataset, split, index)):
                    writer.write_table(_table(group, schema, dataset))
                    done(len(group))
    write_croissant(dataset, folder, files)
    return files


def _schema(dataset: DatasetDir) -> Any:
    """Returns the columns, with what Hugging Face wants to know of them."""
    import pyarrow as pa

    kind, factors = dataset.observation_kind.feature, dataset.manifest.factors
    stored = {
        "image": (
            pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            {"_type": "Image"},
        ),
        "observation": (pa.list_(pa.float32()), _list(_value("float32"))),
        "words": (pa.list_(pa.list_(pa.int64())), _list(_list(_value("int64")))),
    }
    plain = {
        TEXT: (pa.string(), _value("string")),
        TEXTS: (pa.list_(pa.string()), _list(_value("string"))),
        INTEGER: (pa.int64(), _value("int64")),
        FLOAT: (pa.float32(), _value("float32")),
        TRUTH: (pa.bool_(), _value("bool")),
    }
    columns = {kind: stored[kind]}
    for name, values in factors.items():
        columns[name] = (pa.int64(), {"names": values, "_type": "ClassLabel"})
    columns |= {name: plain[type_] for name, type_ in column_types(dataset).items()}
    features = {name: feature for name, (_, feature) in columns.items()}
    metadata = {_HUGGING_FACE: json.dumps({"info": {"features": features}})}
    return pa.schema([(name, type_) for name, (type_, _) in columns.items()], metadata)


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _list(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "_type": "Sequence"}


def _groups(stream: Iterator[Row]) -> Iterator[list[Row]]:
    """Yields groups of rows that are bounded in number and bytes."""
    group, size = [], 0
    for row in stream:
        group.append(row)
        stored = row.observation
        size += stored.nbytes if isinstance(stored, np.ndarray) else len(stored)
        if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _table(group: list[Row], schema: Any, dataset: DatasetDir) -> Any:
    import pyarrow as pa

    columns = {dataset.observation_kind.feature: [_cell(row) for row in group]}
    columns |= {name: [row.codes[name] for row in group] for name in dataset.manifest.factors}
    for name in schema.names[len(columns) :]:
        columns[name] = [row.provenance.get(name) for row in group]
    return pa.table(columns, schema)


def _cell(row: Row) -> Any:
    """Returns an observation as a cell."""
    if isinstance(row.observation, bytes):
        return {"bytes": row.observation, "path": f"{row.key}.png"}
    return row.observation.tolist()
