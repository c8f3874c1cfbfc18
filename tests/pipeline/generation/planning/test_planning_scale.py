"""A job of many shards and classes is planned and completed in little memory, without its records.

`tests/benchmarks/planning_scale.py` measures a job of 100 million images.
"""

import hashlib
import json
import os
import pickle
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from bundles import digits_config

from latentloom.augment import share_out
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.entries import ShardEntry
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import shard_file, write_manifest
from latentloom.pipeline.generation.completion import complete
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.planning.cell_counts import count_classes
from latentloom.pipeline.generation.planning.plan_job import share_quotas
from latentloom.pipeline.generation.planning.slices import cut
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.verification import verify as verification

SHARDS, CLASSES, RECORDS = 1200, 200, 1000
MOST_MEMORY = 40e6
"""Bytes; the counts alone would take 40 MB as lists, and the job holds five of them."""


def sparse(folder, names: list[str]) -> None:
    for name in names:
        with open(folder / name, "wb") as file:
            file.truncate(16 * RECORDS)


@pytest.fixture
def data(tmp_path) -> DatasetDir:
    """A data set whose counts are invented and whose shards are empty."""
    folder, rng = tmp_path / "data", np.random.default_rng(0)
    folder.mkdir()
    names = [shard_file("many", "train", index, SHARDS) for index in range(SHARDS)]
    sparse(folder, names)
    form = {"records": RECORDS, "num_bytes": 16 * RECORDS, "sha256": "0" * 64}
    counts = rng.multinomial(RECORDS, np.full(CLASSES, 1 / CLASSES), SHARDS).tolist()
    written = SHARDS * RECORDS
    manifest = Manifest(
        kind="imported",
        name="many",
        observation_shape=(28, 28, 1),
        factors={"label": [f"class {code}" for code in range(CLASSES)]},
        splits={
            "train": [
                ShardEntry(file=name, label_counts=of_shard, **form)
                for name, of_shard in zip(names, counts, strict=True)
            ]
        },
        totals={"requested": written, "written": written, "rejected": 0, "dead": 0},
    )
    write_manifest(folder, manifest, metadata_files(manifest))
    return DatasetDir.open(folder)


def plan(config: Config, path: str, out: str) -> GenerationJob:
    """The job as `plan_job` makes it, without a bundle."""
    dataset = DatasetDir.open(path)
    slices = cut(dataset.shards("train"), config.generate.slice_records)
    counts = count_classes(dataset, "train", slices, out, GenerationJob.hold_out)
    tasks = share_quotas(config.generate, dataset, slices, counts)
    return GenerationJob(path, "bundle", out, config.generate, "0" * 64, tasks)


def report_of(job: GenerationJob, task) -> ShardReport:
    form = {"file": task.file, "num_bytes": 16 * RECORDS, "sha256": "0" * 64}
    entry = ShardEntry(records=sum(task.quotas), label_counts=task.quotas, **form)
    made = {"requested": task.quotas, "candidates": task.quotas}
    none = {"rejected": [0] * CLASSES, "dead": [0] * CLASSES, "rejections": {}}
    text = {"job": job.digest, "examples": RECORDS, "dead_letters": [], "entry": entry}
    written = ShardReport(**made, **none, **text)
    return ShardReport.model_validate_json(written.model_dump_json())


def test_many_shards_of_many_classes_take_little_memory(tmp_path, data, monkeypatch):
    config, out = digits_config("generate.variants_per_example=1"), tmp_path / "out"
    out.mkdir()
    tracemalloc.start()
    job = plan(config, data.path, str(out))
    assert len(pickle.dumps(job)) < 10_000
    sparse(out, [task.file for task in job.tasks])
    complete(job, [report_of(job, task) for task in job.tasks], config)
    monkeypatch.setattr(verification, "_check_records", lambda *_: [])
    found = verification.verify(out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.problems == ()
    assert peak < MOST_MEMORY
    assert DatasetDir.open(out).manifest.num_examples("train") == SHARDS * RECORDS
    assert os.path.getsize(out / "manifest.json") < 400 * SHARDS + 100 * CLASSES


@pytest.mark.parametrize("strategy", [None, "auto", {"class 3": 4001, "class 7": 1}])
def test_quotas_are_shared_out_as_those_of_one_class(tmp_path, data, strategy):
    config = digits_config()
    settings = config.generate.model_copy(update={"sampling_strategy": strategy})
    job = plan(config.model_copy(update={"generate": settings}), data.path, str(tmp_path / "o"))
    quotas = np.array([list(task.quotas) for task in job.tasks])
    counts = np.array([list(task.class_counts) for task in job.tasks])
    for code in (0, 3, 7):
        total = int(quotas[:, code].sum())
        assert quotas[:, code].tolist() == share_out(total, counts[:, code].tolist())
    if isinstance(strategy, dict):
        assert quotas.sum(axis=0)[[0, 3, 7]].tolist() == [0, 4001, 1]


def test_the_digest_is_that_of_all_tasks_as_one_text(tmp_path, data):
    job = plan(digits_config(), data.path, str(tmp_path / "out"))
    made_by = job.settings.model_dump(exclude={"donor_memory", "failure_budget"})
    for tasks in (job.tasks[:7], job.tasks[:1], ()):
        content = [made_by, job.bundle_digest, [task.model_dump() for task in tasks]]
        text = json.dumps(content, sort_keys=True)
        few = replace(job, tasks=tasks)
        assert few.digest == hashlib.sha256(text.encode()).hexdigest()
        assert pickle.loads(pickle.dumps(few)).digest == few.digest  # noqa: S301
