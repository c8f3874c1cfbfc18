"""Counts the examples of each cell of the factor grid, shard by shard, with Beam."""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.options.pipeline_options import PipelineOptions

from augment import Coverage, HoldOut
from pipeline.atomic_files import write_atomic
from pipeline.dataset_dir import DatasetDir
from pipeline.observations import KINDS
from pipeline.records import read_records
from pipeline.rows import Row, parse_row
from pipeline.runners import DEFAULT_RUNNER, make_runner

COVERAGE_FILE = "coverage.json"


def count_cells(
    dataset: DatasetDir,
    split: str,
    factors: Sequence[str],
    near: Path,
    hold_out: HoldOut | None = None,
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
) -> Coverage:
    """Counts the examples of a split by cell; memory holds the cells that have any, no examples.

    Args:
        dataset: The data set directory.
        split: Name of the split.
        factors: The factors of the grid.
        near: A path that workers can write beside; the result passes through a file there.
        hold_out: Cells that do not count.
        runner: Name of a Beam runner.
        beam_args: Beam's own options.
    """
    count = functools.partial(count_shard, dataset.path, split, tuple(factors), hold_out)
    merge = beam.CombineGlobally(MergeCoverages()) | beam.Map(Coverage.to_dict)
    return Coverage.from_dict(_run(dataset, split, count, merge, near, runner, beam_args))


def count_classes(
    dataset: DatasetDir,
    split: str,
    near: Path,
    hold_out: HoldOut,
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
) -> dict[str, list[int]]:
    """Counts the examples of each class in each shard, by the name of its file.

    The manifest knows these, unless there are cells that do not count. Arguments as above.
    """
    if not hold_out:
        return {shard.file: shard.label_counts for shard in dataset.shards(split)}
    count = functools.partial(_label_counts, dataset.path, split, hold_out)
    merge = beam.combiners.ToDict()
    counts = _run(dataset, split, count, merge, near, runner, beam_args)
    return {shard.file: counts[str(place)] for place, shard in enumerate(dataset.shards(split))}


def _run(
    dataset: DatasetDir,
    split: str,
    count: Callable[[int], Any],
    merge: beam.PTransform,
    near: Path,
    runner: str,
    beam_args: Sequence[str],
) -> Any:
    """Counts every shard and merges the counts; they pass through a file as JSON."""
    near.parent.mkdir(parents=True, exist_ok=True)
    options = PipelineOptions(list(beam_args))
    with tempfile.TemporaryDirectory(prefix=f".{near.name}.", dir=near.parent) as folder:
        path = str(Path(folder, "counts.json"))
        with beam.Pipeline(runner=make_runner(runner), options=options) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(list(range(len(dataset.shards(split)))))
                | "SpreadShards" >> beam.Reshuffle()
                | "CountShard" >> beam.Map(count)
                | "MergeCounts" >> merge
                | "WriteCounts" >> beam.Map(write_json, path)
            )
        return json.loads(Path(path).read_text())


def count_shard(
    path: str, split: str, factors: Sequence[str], hold_out: HoldOut | None, index: int
) -> Coverage:
    """Counts the readable records of a shard by cell, without decoding an image."""
    dataset = DatasetDir.open(path)
    manifest, entry = dataset.manifest, dataset.shards(split)[index]
    kind, shape = KINDS[manifest.observation], manifest.image_shape
    records = enumerate(read_records(dataset.shard_path(split, index), entry.records))
    parsed = (parse_row(n, record, manifest.factors, kind, shape) for n, record in records)
    rows = [row.codes for row in parsed if isinstance(row, Row)]
    codes = np.array(rows, np.int64).reshape(-1, len(manifest.factors))
    columns = dict(zip(manifest.factors, codes.T, strict=True))
    if hold_out:
        keeps = hold_out.keeps(columns)
        columns = {name: column[keeps] for name, column in columns.items()}
    return Coverage({name: tuple(manifest.factors[name]) for name in factors}).count(columns)


def _label_counts(path: str, split: str, hold_out: HoldOut, index: int) -> tuple[str, list[int]]:
    counts = count_shard(path, split, ["label"], hold_out, index)
    return str(index), counts.marginal("label").tolist()


def write_json(document: Any, path: str) -> None:
    """Writes a document as JSON."""
    write_atomic(path, json.dumps(document))


def write_change(
    out: Path, before: Coverage, made: Sequence[Sequence[tuple[Sequence[int], int]]]
) -> None:
    """Writes the examples of each cell before and after into a data set directory.

    Args:
        out: The directory of the generated data set.
        before: The cells of the data that was read.
        made: For each shard the cells that were written and their variants.
    """
    parts = [Coverage(before.names, {tuple(c): n for c, n in cells}) for cells in made]
    document = {"before": before.to_dict(), "after": before.merge(*parts).to_dict()}
    write_atomic(str(out / COVERAGE_FILE), json.dumps(document))


def read_change(out: Path) -> tuple[Coverage, Coverage] | None:
    """Reads what `write_change` wrote, before and after; None if it wrote nothing."""
    path = out / COVERAGE_FILE
    if not path.exists():
        return None
    document = json.loads(path.read_text())
    return Coverage.from_dict(document["before"]), Coverage.from_dict(document["after"])


class MergeCoverages(beam.CombineFn):
    """Adds up coverages; associative and commutative, so that any engine gives the same."""

    def create_accumulator(self) -> Coverage | None:
        """No counts yet."""
        return None

    def add_input(self, accumulator: Coverage | None, coverage: Coverage) -> Coverage:
        """Adds one more shard."""
        return coverage if accumulator is None else accumulator.merge(coverage)

    def merge_accumulators(self, accumulators: Iterable[Coverage | None]) -> Coverage | None:
        """Adds what workers have added up."""
        parts = [part for part in accumulators if part is not None]
        return parts[0].merge(*parts[1:]) if parts else None

    def extract_output(self, accumulator: Coverage | None) -> Coverage | None:
        """The counts themselves."""
        return accumulator
