"""The verb `generate`: from a data set and a bundle to a data set of variants."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from pipeline.atomic_files import write_atomic
from pipeline.cell_counts import write_change
from pipeline.config import Config
from pipeline.dataset_card import write_card
from pipeline.dataset_dir import DatasetDir, write_metadata
from pipeline.directories import check_apart, held_directory
from pipeline.files import Location, as_location, is_remote, list_names, remove
from pipeline.forecast import Forecast, forecast
from pipeline.graph import run_graph
from pipeline.holding_out import DETAIL
from pipeline.jobs import (
    JOB_FOLDER,
    GenerationJob,
    ShardReport,
    ShardTask,
    claim_job,
    output_name,
    plan_job,
)
from pipeline.manifest import CONFIDENCE, MANIFEST_FILE, TOTALS, Manifest, library_versions
from pipeline.runners import DEFAULT_RUNNER, make_runner

Progress = Callable[[int, int], None]

TRAINED_ON = "trained_on"
"""Detail of a manifest: name and digest of the data set that the model was trained on."""


def generate(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    *,
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DatasetDir:
    """Makes variants of a data set with Beam and writes them as a data set directory.

    A rerun skips the shards that are finished. Manifest and metadata come last.

    Args:
        config: The whole configuration; section `generate` decides.
        data: Input data set directory.
        model: Bundle directory.
        out: Output directory.
        runner: Name of a Beam runner.
        beam_args: Beam's own options.
        overwrite: Whether to replace what is in `out`.
        progress: Called with finished and all shards.

    Returns:
        The data set that was written.

    Raises:
        ValueError: Data, bundle and configuration do not fit, a quota cannot be met, `out` holds
            the data or the bundle, or Keras does not run on TensorFlow.
        FileExistsError: `out` holds something else and `overwrite` was not given.
        RuntimeError: The run failed, or too many records were unreadable.
    """
    make_runner(runner)  # refuses an unknown name before anything is written
    check_backend()
    check_apart(out, {"--data": data, "--model": model})
    data, model, out = map(as_location, (data, model, out))
    job = plan_job(config.generate, data, model, out, runner, beam_args)
    with held_directory(out, overwrite=overwrite, resumable_by=JOB_FOLDER):
        claim_job(job)
        clear_temporaries(out)
        todo = [task for task in job.tasks if job.finished(task) is None]
        if todo:
            with _watched(job, progress), _explained(out):
                run_graph(job, todo, runner, beam_args)
        reports = [_report_of(job, task) for task in job.tasks]
        check_budget(job, reports)
        check_yield(reports)
        _complete(job, reports, config)
    return DatasetDir.open(out)


def _complete(job: GenerationJob, reports: Sequence[ShardReport], config: Config) -> None:
    """Writes what makes shards a data set, the manifest last."""
    out, manifest = job.out, describe(job, reports, config)
    write_metadata(out, manifest, provenance_features(job))
    write_dead_letters(out, reports)
    write_card(out, manifest, [name for name in job.plan.judged if name != "label"])
    if job.plan.coverage is not None:
        write_change(out, job.plan.coverage, [report.cells for report in reports])
    write_atomic(os.path.join(out, "config.yaml"), config.to_yaml())
    manifest.write(os.path.join(out, MANIFEST_FILE))


def forecast_job(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    *,
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
) -> Forecast:
    """Plans what `generate` would do and tries it for two seconds; writes nothing to `out`.

    Arguments and errors as those of `generate`.
    """
    make_runner(runner)
    check_backend()
    check_apart(out, {"--data": data, "--model": model})
    data, model, out = map(as_location, (data, model, out))
    job = plan_job(config.generate, data, model, out, runner, beam_args)
    names = DatasetDir.open(job.data).manifest.class_names
    workers = PipelineOptions(list(beam_args)).view_as(DirectOptions).direct_num_workers
    return forecast(job, names, workers or os.cpu_count() or 1)


def check_backend() -> None:
    """Refuses to decode with another backend, whose bytes would be others."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ValueError(
            "Variants are decoded by TensorFlow, so that their bytes are the same whichever "
            f"backend trained the model. Expected: KERAS_BACKEND=tensorflow. Received: {backend}. "
            "Set the variable before the first import of keras."
        )


def clear_temporaries(out: str) -> None:
    """Removes the temporary files that a killed run left behind."""
    for folder in (out, os.path.join(out, JOB_FOLDER)):
        for name in list_names(folder):
            if name.startswith(".") and name.endswith(".tmp"):
                remove(os.path.join(folder, name))


@contextmanager
def _explained(out: str) -> Iterator[None]:
    """Gives the failure of a runner, whose message is a whole trace, the cause as its message."""
    try:
        yield
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        cause = next((line for line in reversed(lines) if "Error" in line), repr(error))
        raise RuntimeError(
            f"The run stopped: {cause.strip()} Expected: every shard of '{out}' written. Finished "
            "shards are kept. Remove the cause and run the same command again "
            "(LATENTLOOM_VERBOSE=1 shows the whole trace)."
        ) from error


def _report_of(job: GenerationJob, task: ShardTask) -> ShardReport:
    report = job.finished(task)
    if report is None:
        raise RuntimeError(
            f"The run ended without the shard '{task.file}'. Expected: every shard finished. "
            "Received: no report of it. Look at the runner's log and run the command again: "
            "finished shards are kept."
        )
    return report


def check_budget(job: GenerationJob, reports: Sequence[ShardReport]) -> None:
    """Fails the run if more input records were unreadable than the failure budget allows."""
    dead = [letter for report in reports for letter in report.dead_letters]
    total = sum(report.examples for report in reports) + len(dead)
    if len(dead) > job.settings.failure_budget * total:
        raise RuntimeError(
            f"{len(dead)} of {total} input records could not be read, the first being record "
            f"{dead[0]['record']} of '{dead[0]['shard']}': {dead[0]['reason']}. Expected: at most "
            f"a share of {job.settings.failure_budget}. Repair the input (`latentloom verify` "
            "lists what is wrong) or raise `generate.failure_budget`."
        )


def check_yield(reports: Sequence[ShardReport]) -> None:
    """Fails a run that wrote nothing: an empty split is no data set."""
    if any(report.entry.records for report in reports):
        return
    refused = sum(sum(report.rejected) for report in reports)
    raise RuntimeError(
        f"No variant was written; the gate refused all of {refused}. Expected: at least one. "
        "Train longer (`train.epochs`, `judge.epochs`), or lower `generate.gate.min_confidence`."
    )


def provenance_features(job: GenerationJob) -> dict[str, Any]:
    """TFDS features of what every generated record says of its origin."""
    import tensorflow_datasets as tfds

    return {
        "anchor_id": tfds.features.Text(),
        "donor_ids": tfds.features.Sequence(tfds.features.Text()),
        "recipe": tfds.features.Text(),
        "seen_combination": tfds.features.Scalar(np.bool_),
        CONFIDENCE: tfds.features.Scalar(np.float32),
        **{
            f"{CONFIDENCE}_{factor}": tfds.features.Scalar(np.float32)
            for factor in job.plan.judged
            if factor != "label"
        },
        "seed": tfds.features.Scalar(np.int64),
    }


def describe(job: GenerationJob, reports: Sequence[ShardReport], config: Config) -> Manifest:
    """The manifest of the output: its shards, its totals, and where it came from."""
    source = DatasetDir.open(job.data).manifest
    return Manifest(
        kind="generated",
        name=output_name(source, job.settings),
        observation=source.observation,
        image_shape=source.image_shape,
        factors={name: source.factors[name] for name in job.plan.written},
        splits={job.settings.split: [report.entry for report in reports]},
        source={
            "description": f"Variants of '{source.name}' by the recipe {job.settings.recipe}.",
            "data": source.name,
            "shards": [task.sha256 for task in job.tasks],
        },
        versions=library_versions(),
        totals={name: sum(report.totals[name] for report in reports) for name in TOTALS},
        details={
            "job": job.digest,
            "bundle_digest": job.bundle_digest,
            TRAINED_ON: job.trained_on,
            "config": config.model_dump(),
            "candidates": sum(sum(report.candidates) for report in reports),
            "rejections": _rejections(reports, source.class_names),
            "unreadable_records": sum(len(report.dead_letters) for report in reports),
            DETAIL: job.hold_out.to_dict(),
        },
    )


def _rejections(reports: Sequence[ShardReport], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Candidates that the gate refused: `{class: {reason: count}}`."""
    by_class: dict[str, Counter] = {}
    for report in reports:
        for label, by_reason in report.rejections.items():
            by_class.setdefault(names[int(label)], Counter()).update(by_reason)
    return {name: dict(counts) for name, counts in by_class.items()}


def write_dead_letters(out: str, reports: Sequence[ShardReport]) -> None:
    """Writes one JSON line for every input record that could not be read."""
    letters = [letter for report in reports for letter in report.dead_letters]
    text = "".join(json.dumps(letter) + "\n" for letter in letters)
    write_atomic(os.path.join(out, "dead_letters.jsonl"), text)


@contextmanager
def _watched(job: GenerationJob, progress: Progress | None) -> Iterator[None]:
    """Reports finished shards, by the files that workers leave, while the block runs."""
    if progress is None:
        yield
        return
    stop, pause = threading.Event(), 5.0 if is_remote(job.out) else 0.5

    def watch() -> None:
        while not stop.wait(pause):
            names = list_names(os.path.join(job.out, JOB_FOLDER))
            finished = sum(".tfrecord" in name and name.endswith(".json") for name in names)
            progress(min(finished, len(job.tasks)), len(job.tasks))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
    progress(len(job.tasks), len(job.tasks))
