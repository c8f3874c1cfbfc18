"""Forecasts the output and the cost of a generation job."""

from __future__ import annotations

import dataclasses
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from latentloom.augment import Cells, DonorBank
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.class_counts import ClassCounts, add_up
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.worker.codec_worker import limit_threads
from latentloom.pipeline.generation.worker.encode_slice import EncodedSlice, encode_slice
from latentloom.pipeline.generation.worker.render_shard import render_shard
from latentloom.pipeline.generation.worker.sample_donors import sample_donors
from latentloom.pipeline.storage.files import is_remote, local_folder

Result = TypeVar("Result")

TRIAL_SECONDS = 2.0
TRIAL_EXAMPLES, TRIAL_VARIANTS = 512, 1024


@dataclass(frozen=True)
class Forecast:
    """The output and the cost of a job. Times and bytes are scaled up from a trial.

    Args:
        examples: Examples to read, by class, without held-out cells.
        variants: Variants requested, by class; empty if the recipe fills cells.
        cells: Number of cells to fill and of their variants; `(0, 0)` if classes have quotas.
        requested: Variants requested in total.
        shards: Number of output shards.
        num_bytes: Bytes of all output shards.
        memory: Most bytes that one worker needs.
        cpu_seconds: CPU time for the whole job, without the start of workers.
        workers: Number of workers that share the job.
        free_bytes: Free bytes on the disk of the output; None for a remote output.
    """

    examples: dict[str, int]
    variants: dict[str, int]
    cells: tuple[int, int]
    requested: int
    shards: int
    num_bytes: int
    memory: int
    cpu_seconds: float
    workers: int
    free_bytes: int | None


def forecast(job: GenerationJob, names: Sequence[str], workers: int) -> Forecast:
    """Runs a job for a few seconds on some of its examples, in a temporary folder.

    Args:
        job: The job.
        names: Names of the classes.
        workers: Number of workers that will share the job.
    """
    limit_threads(job.settings.threads)
    with local_folder(job.model) as folder:
        codec = Codec(load_bundle(folder))
    examples = add_up((task.class_counts for task in job.tasks), len(names))
    quotas = add_up((task.quotas for task in job.tasks), len(names))
    cells = job.plan.cells
    in_cells = (0, 0) if cells is None else (len(cells), int(cells.numbers.sum()))
    requested = in_cells[1] if cells is not None else int(quotas.sum())
    trial = _Trial.run(job, codec)
    largest = max(task.stop - task.start for task in job.tasks)
    return Forecast(
        examples=dict(zip(names, examples.tolist(), strict=True)),
        variants={} if cells else dict(zip(names, quotas.tolist(), strict=True)),
        cells=in_cells,
        requested=requested,
        shards=len(job.tasks),
        num_bytes=round(requested * trial.bytes_per_variant),
        memory=peak_memory() + round(largest * trial.bytes_per_example),
        cpu_seconds=int(examples.sum()) * trial.seconds_per_example
        + requested * trial.seconds_per_variant,
        workers=workers,
        free_bytes=None if is_remote(job.out) else shutil.disk_usage(_existing(job.out)).free,
    )


@dataclass(frozen=True)
class _Trial:
    """Measured unit costs of a job."""

    seconds_per_example: float
    seconds_per_variant: float
    bytes_per_variant: float
    bytes_per_example: float

    @classmethod
    def run(cls, job: GenerationJob, codec: Codec) -> _Trial:
        dataset = DatasetDir.open(job.data)
        task = max(job.tasks, key=lambda task: sum(task.quotas) or sum(task.class_counts))
        task = task.model_copy(update={"stop": min(task.stop, task.start + TRIAL_EXAMPLES)})

        def encode() -> EncodedSlice:
            return encode_slice(job, dataset, task, codec)

        encode()  # compiles
        encoded, encoding = _timed(encode)
        donors, sampling = None, 0.0
        if job.plan.needs_bank:
            sample_donors(job, dataset, task, codec)  # compiles
            donors, sampling = _timed(lambda: sample_donors(job, dataset, task, codec))
        with tempfile.TemporaryDirectory(prefix="latentloom-") as folder:
            small = _small_job(job, encoded, donors, folder)
            encoded = dataclasses.replace(encoded, task=small.tasks[0])
            render_shard(small, encoded, donors, codec)  # compiles
            report, rendering = _timed(lambda: render_shard(small, encoded, donors, codec))
        number, made = max(len(encoded.ids), 1), max(sum(report.requested), 1)
        latents = sum(block.nbytes for block in encoded.latents.values())
        return cls(
            seconds_per_example=(encoding + sampling) / number,
            seconds_per_variant=rendering / made,
            bytes_per_variant=report.entry.num_bytes / made,
            bytes_per_example=(latents + sum(map(sys.getsizeof, encoded.ids))) / number,
        )


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Repeats the work for a while; returns its last result and mean CPU seconds."""
    begun, count = time.process_time(), 0
    while True:
        result, count = work(), count + 1
        if (spent := time.process_time() - begun) > TRIAL_SECONDS / 2:
            return result, spent / count


def _small_job(
    job: GenerationJob, encoded: EncodedSlice, donors: DonorBank | None, folder: str
) -> GenerationJob:
    """The job with about `TRIAL_VARIANTS` variants of a few examples, in another folder."""
    counts = np.bincount(encoded.factors["label"], minlength=len(encoded.task.quotas))
    share = counts / np.maximum(encoded.task.class_counts, 1)
    quotas = np.ceil(encoded.task.quotas * share).astype(int)
    quotas = np.minimum(quotas, -(-TRIAL_VARIANTS * counts // max(counts.sum(), 1)))
    task = encoded.task.model_copy(
        update={"quotas": ClassCounts(quotas), "class_counts": ClassCounts(counts)}
    )
    plan = job.plan
    if plan.cells is not None and donors is not None:
        plan = dataclasses.replace(plan, cells=_reachable(plan.cells, donors))
    return dataclasses.replace(job, out=folder, tasks=(task,), plan=plan)


def _reachable(cells: Cells, donors: DonorBank) -> Cells:
    """The first cells for which every value has a donor, about `TRIAL_VARIANTS` variants."""
    known = np.ones(len(cells), bool)
    for column, name in zip(cells.values.T, cells.factors, strict=True):
        known &= np.isin(column, donors.factors[name])
    rows = np.flatnonzero(known)
    rows = rows[np.cumsum(cells.numbers[rows]) - cells.numbers[rows] < TRIAL_VARIANTS]
    return Cells(cells.factors, cells.values[rows], cells.numbers[rows])


def peak_memory() -> int:
    """Most bytes of memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":
        return peak
    own = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return 1024 * int(own[1] if own else peak)  # `ru_maxrss` may be the parent's


def _existing(path: str) -> str:
    """The path, or its nearest parent that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(os.path.abspath(path))
    return path
