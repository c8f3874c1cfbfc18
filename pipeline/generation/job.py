"""A generation job: its shards, their quotas, and the report of each finished shard."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from latentloom.augment import BlocksRead, Cells, Clashes, Coverage, HoldOut
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.class_counts import CountsByClass
from latentloom.pipeline.dataset.details import DataIdentity
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.storage.files import exists, file_size, read_text, sha256_file
from latentloom.pipeline.storage.run_marker import RunMarker

JOB_FOLDER = ".job"
JOB_FILE = "job.json"
DONORS_FILE = "donors.npz"


class ShardTask(BaseModel):
    """One output shard and the slice of an input shard that it is made from.

    Attributes:
        index: Number of the output shard, from 0.
        source: Name of the input file.
        sha256: Hash of the input file, from its manifest.
        start: First record of the slice.
        stop: Record after the last.
        class_counts: Examples of each class in the slice, without held-out cells.
        quotas: Variants of each class to make from it.
        file: Name of the output file.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    source: str
    sha256: str
    start: int
    stop: int
    class_counts: CountsByClass
    quotas: CountsByClass
    file: str


@dataclass(frozen=True, eq=False)
class FactorPlan:
    """How a job uses factors and the blocks that carry them.

    Attributes:
        blocks: Blocks of anchors and donors that the recipe reads; only these are encoded.
        written: Factors whose values are known for every variant and written with it.
        judged: Written factors that the judge must confirm.
        banked: Factors by whose values the donor bank keeps donors.
        coverage: Examples of each cell of the grid, or None if every variant stays in the cell of
            its anchor.
        cells: Cells to fill, or None for quotas by class.
        clashes: Pairs of values of two factors that must not be combined.
    """

    blocks: BlocksRead = BlocksRead()
    written: tuple[str, ...] = ("label",)
    judged: tuple[str, ...] = ("label",)
    banked: tuple[str, ...] = ("label",)
    coverage: Coverage | None = None
    cells: Cells | None = None
    clashes: Clashes = field(default_factory=dict)

    @property
    def needs_bank(self) -> bool:
        """Whether a bank of donors is drawn: for their blocks, or to choose anchors of cells."""
        return bool(self.blocks.donors) or self.cells is not None

    def seen(self, factors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether the data has the cell of each variant, bool of shape `(n,)`."""
        if self.coverage is None:
            return np.ones(len(factors["label"]), bool)
        return self.coverage.seen_rows(factors)


class VariantRules(Protocol):
    """What decides the variants of an example, whichever examples are beside it."""

    @property
    def settings(self) -> GenerateConfig:
        """Section `generate` of the configuration."""
        ...

    @property
    def plan(self) -> FactorPlan:
        """How the recipe uses factors."""
        ...


@dataclass(frozen=True)
class GenerationJob:
    """Everything that a worker needs, as plain data.

    Attributes:
        data: Input data set directory.
        model: Bundle directory.
        out: Output directory.
        settings: Section `generate` of the configuration.
        bundle_digest: Digest of the bundle.
        tasks: One per output shard.
        plan: How the job uses factors; follows from the other attributes.
        hold_out: Cells that the model was not trained on; their examples are skipped.
        trained_on: The data set that the model was trained on, if known.
    """

    data: str
    model: str
    out: str
    settings: GenerateConfig
    bundle_digest: str
    tasks: tuple[ShardTask, ...]
    plan: FactorPlan = FactorPlan()
    hold_out: HoldOut = HoldOut()
    trained_on: DataIdentity | None = None

    @functools.cached_property
    def digest(self) -> str:
        """Identifies the output: jobs of equal digest write equal bytes."""
        made_by = self.settings.model_dump(exclude={"donor_memory", "failure_budget"})
        begin = json.dumps([made_by, self.bundle_digest], sort_keys=True)
        found = hashlib.sha256(f"{begin[:-1]}, [".encode())  # the tasks never lie in memory as text
        for number, task in enumerate(self.tasks):
            text = json.dumps(task.model_dump(), sort_keys=True)
            found.update(f"{', ' if number else ''}{text}".encode())
        found.update(b"]]")
        return found.hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """Returns what goes to workers: without tasks, which they get one by one."""
        return {**vars(self), "tasks": (), "digest": self.digest}

    @property
    def marker(self) -> RunMarker:
        """Marks the output directory as belonging to this job."""
        file = f"{JOB_FOLDER}/{JOB_FILE}"
        return RunMarker(self.out, file, {"digest": self.digest}, notes={"data": self.data})

    def report_path(self, task: ShardTask) -> str:
        """Path of the report of a finished shard."""
        return os.path.join(self.out, JOB_FOLDER, f"{task.file}.json")

    @property
    def donors_path(self) -> str:
        """Path of the complete donor bank."""
        return os.path.join(self.out, JOB_FOLDER, DONORS_FILE)

    def finished(self, task: ShardTask) -> ShardReport | None:
        """The report of a shard if this job finished it and its file is undamaged, else None."""
        report, shard = self.written(task), os.path.join(self.out, task.file)
        return report if report and sha256_file(shard) == report.entry.sha256 else None

    def written(self, task: ShardTask) -> ShardReport | None:
        """The report of a shard if this job wrote it and its file has its size, else None."""
        path, shard = self.report_path(task), os.path.join(self.out, task.file)
        if not exists(path):
            return None
        try:
            report = ShardReport.model_validate_json(read_text(path))
        except ValueError:
            return None
        whole = report.job == self.digest and file_size(shard) == report.entry.num_bytes
        return report if whole else None


def output_name(manifest: Manifest, settings: GenerateConfig) -> str:
    """Name of the generated data set."""
    return f"{manifest.name}_{settings.recipe}"
