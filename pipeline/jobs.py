"""What a generation job is: its shards, their quotas, and the report of each finished shard."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from latentloom.augment import HoldOut, find_recipe, share_out
from latentloom.model_zoo.bundle import read_description, read_priors, scaling_of
from latentloom.pipeline.atomic_files import write_atomic
from latentloom.pipeline.cell_counts import count_cells, count_classes
from latentloom.pipeline.class_quotas import class_quotas
from latentloom.pipeline.codec import spec_of
from latentloom.pipeline.dataset_dir import DatasetDir
from latentloom.pipeline.factor_plan import FactorPlan, plan_factors
from latentloom.pipeline.files import exists, local_folder, make_folders, read_text, sha256_file
from latentloom.pipeline.holding_out import read_hold_out
from latentloom.pipeline.manifest import Manifest, ShardEntry
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.runners import DEFAULT_RUNNER
from latentloom.pipeline.sections import GenerateConfig
from latentloom.pipeline.slices import cut
from latentloom.pipeline.vocabularies import summarise
from latentloom.pipeline.writing import shard_file

JOB_FOLDER = ".job"
JOB_FILE = "job.json"
DONORS_FILE = "donors.npz"


class ShardTask(BaseModel):
    """One output shard, and the slice of an input shard that it is made of.

    Attributes:
        index: Number of the output shard, from 0.
        source: Name of the input file.
        sha256: Hash of the input file, from its manifest.
        start: The first of its records.
        stop: The record after the last.
        class_counts: Examples of each class in the slice, held-out cells left out.
        quotas: Variants of each class to make from it.
        file: Name of the output file.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    source: str
    sha256: str
    start: int
    stop: int
    class_counts: list[int]
    quotas: list[int]
    file: str


class ShardReport(BaseModel):
    """What became of one shard. Every requested variant was written, rejected or dead.

    Attributes:
        job: Digest of the job that it belongs to.
        entry: The output shard as the manifest lists it.
        requested: Variants asked for, by class.
        rejected: Variants given up after all attempts, by class.
        dead: Variants that could not be made, for want of a readable anchor, by class.
        candidates: Images drawn, by class, all attempts counted.
        rejections: Candidates that the gate refused: `{class: {reason: count}}`.
        examples: Input examples read, and those that could not be.
        cells: Written variants of each cell of the grid, if cells are counted.
        dead_letters: Unreadable input records, `{"shard", "record", "reason"}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    entry: ShardEntry
    requested: list[int]
    rejected: list[int]
    dead: list[int]
    candidates: list[int]
    rejections: dict[str, dict[str, int]]
    examples: int
    dead_letters: list[dict[str, Any]]
    cells: list[tuple[list[int], int]] = []

    @property
    def totals(self) -> dict[str, int]:
        """Variants requested, written, rejected and dead."""
        return {
            "requested": sum(self.requested),
            "written": self.entry.records,
            "rejected": sum(self.rejected),
            "dead": sum(self.dead),
        }


@dataclass(frozen=True)
class GenerationJob:
    """Everything that a worker needs to know, as plain data.

    Attributes:
        data: Input data set directory.
        model: Bundle directory.
        out: Output directory.
        settings: Section `generate` of the configuration.
        bundle_digest: Digest of the bundle.
        tasks: One a shard.
        plan: What is done with factors; follows from the others.
        hold_out: Cells that the model was not trained on, and whose examples are left out.
        trained_on: Name and digest of the data set that the model was trained on, if known.
    """

    data: str
    model: str
    out: str
    settings: GenerateConfig
    bundle_digest: str
    tasks: tuple[ShardTask, ...]
    plan: FactorPlan = FactorPlan()
    hold_out: HoldOut = HoldOut()
    trained_on: Any = None

    @functools.cached_property
    def digest(self) -> str:
        """Identifies what is made: equal digests give equal bytes."""
        made_by = self.settings.model_dump(exclude={"failure_budget"})
        content = [made_by, self.bundle_digest, [task.model_dump() for task in self.tasks]]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def report_path(self, task: ShardTask) -> str:
        """Where the report of a finished shard lies."""
        return os.path.join(self.out, JOB_FOLDER, f"{task.file}.json")

    @property
    def donors_path(self) -> str:
        """Where the donor bank lies once it is complete."""
        return os.path.join(self.out, JOB_FOLDER, DONORS_FILE)

    def finished(self, task: ShardTask) -> ShardReport | None:
        """The report of a shard if this job has finished it and its file is still whole."""
        path, shard = self.report_path(task), os.path.join(self.out, task.file)
        if not exists(path) or not exists(shard):
            return None
        report = ShardReport.model_validate_json(read_text(path))
        whole = report.job == self.digest and sha256_file(shard) == report.entry.sha256
        return report if whole else None


def plan_job(
    settings: GenerateConfig,
    data: str,
    model: str,
    out: str,
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
) -> GenerationJob:
    """Checks that recipe, data and bundle fit together and shares the quotas out over the shards.

    Where the factors of variants come from several examples, a first Beam graph counts the cells.

    Raises:
        ValueError: They do not fit, or a quota cannot be met.
        FileNotFoundError: The data or the bundle are not there.
    """
    find_recipe(settings.recipe).resolve(settings.options)
    dataset = DatasetDir.open(data)
    with local_folder(model) as folder:
        description, priors = read_description(folder), read_priors(folder)
    check_fit(dataset.manifest, description)
    manifest, beam_settings = dataset.manifest, {"runner": runner, "beam_args": beam_args}
    hold_out = read_hold_out(description["details"], manifest.factors, manifest.name)
    shards = dataset.shards(settings.split)
    slices = cut(shards, settings.slice_records)
    counts = count_classes(dataset, settings.split, slices, out, hold_out, **beam_settings)
    totals = np.sum(counts, axis=0).tolist()
    quotas = class_quotas(dict(zip(manifest.class_names, totals, strict=True)), settings)
    plan = plan_factors(
        settings,
        manifest.factors,
        spec_of(description["latent_spec"], priors),
        description.get("judge_factors", ["label"]),
        lambda factors: count_cells(
            dataset, settings.split, slices, factors, out, hold_out, **beam_settings
        ),
    )
    by_class = [
        share_out(quotas.get(name, 0), [of_slice[label] for of_slice in counts])
        for label, name in enumerate(manifest.class_names)
    ]
    name = output_name(manifest, settings)
    tasks = tuple(
        ShardTask(
            index=index,
            source=shards[part.shard].file,
            sha256=shards[part.shard].sha256,
            start=part.start,
            stop=part.stop,
            class_counts=counts[index],
            quotas=[shares[index] for shares in by_class],
            file=shard_file(name, settings.split, index, len(slices)),
        )
        for index, part in enumerate(slices)
    )
    digest = description["digest"]
    trained_on = description["details"].get("data")
    return GenerationJob(data, model, out, settings, digest, tasks, plan, hold_out, trained_on)


def output_name(manifest: Manifest, settings: GenerateConfig) -> str:
    """Name of the generated data set."""
    return f"{manifest.name}_{settings.recipe}"


def check_fit(manifest: Manifest, description: Mapping[str, Any]) -> None:
    """Refuses a bundle that was trained on observations, words or classes of another kind."""
    kind, given = KINDS[scaling_of(description).kind], KINDS[manifest.observation]
    if kind is not given or list(manifest.image_shape) != list(description["image_shape"]):
        resize = f"Import the data with --image-size {description['image_shape'][0]}, or train"
        raise ValueError(
            f"Data set '{manifest.name}' and the bundle do not fit. "
            f"Expected: {kind.many} of shape {tuple(description['image_shape'])}. "
            f"Received: {given.many} of shape {manifest.image_shape}. "
            f"{resize if kind is given and kind.can_resize else 'Train'} a bundle on this data."
        )
    if manifest.vocabulary != description.get("vocabulary", []):
        raise ValueError(
            f"Data set '{manifest.name}' and the bundle do not fit. Expected: "
            f"{summarise(description['vocabulary'])}. Received: {summarise(manifest.vocabulary)}. "
            "Count the words that the bundle was trained on, or train a bundle on this data."
        )
    if manifest.class_names != description["factors"]["label"]:
        raise ValueError(
            f"Data set '{manifest.name}' and the bundle do not fit. "
            f"Expected: classes {description['factors']['label']}. "
            f"Received: {manifest.class_names}. Train a bundle on this data."
        )


def claim_job(job: GenerationJob) -> None:
    """Marks the output directory as that of this job.

    Raises:
        FileExistsError: The directory belongs to another job.
    """
    marker = os.path.join(job.out, JOB_FOLDER, JOB_FILE)
    if exists(marker):
        if json.loads(read_text(marker))["digest"] != job.digest:
            raise FileExistsError(
                f"The output directory '{job.out}' belongs to another run. Expected: the same "
                "configuration, data and bundle, to go on with it. Received: others. "
                "Choose another --out, or pass --overwrite."
            )
        return
    make_folders(os.path.join(job.out, JOB_FOLDER))
    write_atomic(marker, json.dumps({"digest": job.digest, "data": job.data}))
