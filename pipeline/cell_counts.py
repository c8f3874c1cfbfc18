"""Counts the examples of each cell of the factor grid, shard by shard, with Beam."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from augment import Coverage
from pipeline.dataset_dir import DatasetDir
from pipeline.observations import KINDS
from pipeline.records import read_records, write_atomic
from pipeline.rows import Row, parse_row
from pipeline.runners import DEFAULT_RUNNER, make_runner

COVERAGE_FILE = "coverage.json"


def count_cells(
    dataset: DatasetDir,
    split: str,
    factors: Sequence[str],
    near: Path,
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
) -> Coverage:
    """Counts the examples of a split by cell; memory holds the cells that have any, no examples.

    Args:
        dataset: The data set directory.
        split: Name of the split.
        factors: The factors of the grid.
        near: A path that workers can write beside; the result passes through a file there.
        runner: Name of a Beam runner.
        beam_args: Beam's own options.
    """
    near.parent.mkdir(parents=True, exist_ok=True)
    options = PipelineOptions(list(beam_args))
    with tempfile.TemporaryDirectory(prefix=f".{near.name}.", dir=near.parent) as folder:
        path = str(Path(folder, "coverage.json"))
        with beam.Pipeline(runner=make_runner(runner), options=options) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(list(range(len(dataset.shards(split)))))
                | "SpreadShards" >> beam.Reshuffle()
                | "CountShard" >> beam.Map(count_shard, dataset.path, split, tuple(factors))
                | "MergeCounts" >> beam.CombineGlobally(MergeCoverages())
                | "WriteCounts" >> beam.Map(write_coverage, path)
            )
        return Coverage.from_dict(json.loads(Path(path).read_text()))


def count_shard(index: int, path: str, split: str, factors: Sequence[str]) -> Coverage:
    """Counts the readable records of a shard by cell, without decoding an image."""
    dataset = DatasetDir.open(path)
    manifest, entry = dataset.manifest, dataset.shards(split)[index]
    kind, shape = KINDS[manifest.observation], manifest.image_shape
    columns = [list(manifest.factors).index(factor) for factor in factors]
    counts: Counter[tuple[int, ...]] = Counter()
    for number, record in enumerate(read_records(dataset.shard_path(split, index), entry.records)):
        row = parse_row(number, record, manifest.factors, kind, shape)
        if isinstance(row, Row):
            counts[tuple(row.codes[column] for column in columns)] += 1
    return Coverage({factor: tuple(manifest.factors[factor]) for factor in factors}, dict(counts))


def write_coverage(coverage: Coverage, path: str) -> None:
    """Writes the counts as JSON."""
    write_atomic(path, json.dumps(coverage.to_dict()))


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
