"""Counts the examples of each cell of the factor grid, slice by slice, with Beam."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np

from latentloom.augment import Coverage, HoldOut
from latentloom.pipeline.dataset.class_counts import ClassCounts
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.reading import ParsedRecord, parse_row
from latentloom.pipeline.generation.engines import DEFAULT_RUNNER, IN_PROCESS, Engine
from latentloom.pipeline.generation.merging import MergeAll
from latentloom.pipeline.generation.planning.slices import Slice, is_whole
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import (
    as_location,
    exists,
    make_folders,
    read_text,
    remove,
)
from latentloom.pipeline.storage.tfrecords import read_records


def count_by_cell(
    dataset: DatasetDir,
    split: str,
    slices: Sequence[Slice],
    factors: Sequence[str],
    near: str,
    hold_out: HoldOut | None = None,
    engine: Engine = IN_PROCESS,
) -> Coverage:
    """Counts the examples of a split by cell; memory holds only the cells that have examples.

    Args:
        dataset: The data set directory.
        split: Name of the split.
        slices: The slices of the split.
        factors: The factors of the grid.
        near: A path in a folder that workers can write to; the counts pass through a file there.
        hold_out: Cells whose examples are not counted.
        engine: What Beam runs on.
    """
    count = functools.partial(count_slice, dataset, split, tuple(factors), hold_out)
    merge = beam.CombineGlobally(MergeAll()) | beam.Map(Coverage.to_dict)
    return Coverage.from_dict(_run(slices, count, merge, near, engine))


def count_classes(
    dataset: DatasetDir,
    split: str,
    slices: Sequence[Slice],
    near: str,
    hold_out: HoldOut,
    engine: Engine = IN_PROCESS,
) -> list[Sequence[int]]:
    """Counts the examples of each class in each slice.

    Takes the counts of whole shards from the manifest if no cells are held out, and reads the
    others. For the arguments see `count_by_cell`.
    """
    shards = dataset.shards(split)
    known = {
        _name(part): shards[part.shard].label_counts
        for part in slices
        if not hold_out and is_whole(part, shards)
    }
    if unknown := [part for part in slices if _name(part) not in known]:
        count = functools.partial(_label_counts, dataset, split, hold_out)
        counts = _run(unknown, count, beam.combiners.ToDict(), near, engine)
        known |= {name: ClassCounts(found) for name, found in counts.items()}
    return [known[_name(part)] for part in slices]


def _run(
    slices: Sequence[Slice],
    count: Callable[[Slice], Any],
    merge: beam.PTransform,
    near: str,
    engine: Engine,
) -> Any:
    """Counts every slice and merges the counts, which pass through a JSON file."""
    with _file_near(near, engine) as path:
        with engine.pipeline() as pipeline:
            _ = (
                pipeline
                | "Slices" >> beam.Create(list(slices))
                | "SpreadSlices" >> beam.Reshuffle()
                | "CountSlice" >> beam.Map(count)
                | "MergeCounts" >> merge
                | "WriteCounts" >> beam.Map(write_json, path)
            )
        return json.loads(read_text(path))


@contextlib.contextmanager
def _file_near(near: str, engine: Engine) -> Iterator[str]:
    """Yields the path of a file that every worker of an engine can write; removes it afterwards.

    Workers of the in-process engine have the temporary folder of this machine.
    """
    if engine.runner == DEFAULT_RUNNER:
        with tempfile.TemporaryDirectory(prefix="latentloom-") as folder:
            yield os.path.join(folder, "counts.json")
        return
    parent, name = os.path.split(as_location(near))
    make_folders(parent or ".")
    path = os.path.join(parent, f".{name}.{secrets.token_hex(4)}.counts.json")
    try:
        yield path
    finally:
        if exists(path):
            remove(path)


def count_slice(
    dataset: DatasetDir,
    split: str,
    factors: Sequence[str],
    hold_out: HoldOut | None,
    part: Slice,
) -> Coverage:
    """Counts the readable records of a slice by cell, without decoding an image."""
    manifest, (index, start, stop) = dataset.manifest, part
    kind, shape = KINDS[manifest.observation], manifest.observation_shape
    read = read_records(dataset.shard_path(split, index), stop, start=start, stop=stop)
    records = enumerate(read, start)
    parsed = (parse_row(n, record, manifest.factors, kind, shape) for n, record in records)
    rows = [row.codes for row in parsed if isinstance(row, ParsedRecord)]
    codes = np.array(rows, np.int64).reshape(-1, len(manifest.factors))
    columns = dict(zip(manifest.factors, codes.T, strict=True))
    if hold_out:
        keeps = hold_out.keeps(columns)
        columns = {name: column[keeps] for name, column in columns.items()}
    return Coverage({name: tuple(manifest.factors[name]) for name in factors}).count(columns)


def _name(part: Slice) -> str:
    return f"{part.shard}-{part.start}"


def _label_counts(
    dataset: DatasetDir, split: str, hold_out: HoldOut, part: Slice
) -> tuple[str, list[int]]:
    counts = count_slice(dataset, split, ["label"], hold_out, part)
    return _name(part), counts.marginal("label").tolist()


def write_json(document: Any, path: str) -> None:
    """Writes a document as JSON."""
    write_atomic(path, json.dumps(document))
