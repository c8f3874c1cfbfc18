"""The verb `generate`: makes a data set of variants from a data set and a bundle."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras

from latentloom.model_zoo.bundle import Bundle, load_bundle
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.own_files import DATA_SET
from latentloom.pipeline.generation.completion import complete
from latentloom.pipeline.generation.engines import IN_PROCESS, Engine
from latentloom.pipeline.generation.forecast import Forecast, forecast
from latentloom.pipeline.generation.graph import run_graph
from latentloom.pipeline.generation.job import JOB_FOLDER, GenerationJob, ShardTask
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.generation.worker.codec_worker import limit_threads
from latentloom.pipeline.storage.files import (
    Location,
    as_location,
    is_remote,
    list_names,
    local_folder,
)
from latentloom.pipeline.storage.output_directories import check_apart, clear_temporaries
from latentloom.pipeline.terminal.stops import kept_if_stopped, raised_stop

Progress = Callable[[int, int], None]
STOPPED = "Finished shards are kept. To go on, run the same command again, without --overwrite."


def generate(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    *,
    engine: Engine = IN_PROCESS,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DatasetDir:
    """Makes variants of a data set with Beam and writes them as a data set directory.

    Takes the arguments of `generated` and raises its errors.

    Returns:
        The data set that was written.
    """
    options = {"engine": engine, "overwrite": overwrite, "progress": progress}
    with generated(config, data, model, out, **options) as dataset:
        return dataset


@contextmanager
def generated(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    *,
    engine: Engine = IN_PROCESS,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Iterator[DatasetDir]:
    """Generates a data set and holds its directory while the block reports on it.

    A rerun skips finished shards. Metadata and manifest are written last.

    Args:
        config: The whole configuration; section `generate` applies.
        data: Input data set directory.
        model: Bundle directory.
        out: Output directory.
        engine: What the graph runs on.
        overwrite: Whether to replace the content of `out`.
        progress: Called with the number of finished shards and the number of all shards.

    Yields:
        The data set that was written.

    Raises:
        ValueError: Data, bundle and configuration do not fit, a class lacks examples for its
            quota, `out` holds the data or the bundle, or Keras does not run on TensorFlow.
        FileExistsError: `out` holds other files and `overwrite` was not given, another run writes
            to it, or a file of somebody else has the name of one to be written.
        RuntimeError: The run failed, or too many records were unreadable.
    """
    job, bundle = _checked_job(config, data, model, out, engine)
    out = job.out
    with kept_if_stopped(STOPPED), job.marker.held(DATA_SET, overwrite=overwrite):
        reports = _run(job, engine, bundle, progress)
        clear_temporaries(out)  # left by workers that an engine replaced
        complete(job, reports, config)
        del reports  # megabytes of a large job
        yield DatasetDir.open(out)


def _run(
    job: GenerationJob, engine: Engine, bundle: Bundle, progress: Progress | None
) -> list[ShardReport]:
    """Writes the shards that are not finished; returns the reports of all of them."""
    earlier = [job.finished(task) for task in job.tasks]
    todo = [task for task, found in zip(job.tasks, earlier, strict=True) if found is None]
    if todo:
        with _watched(job, progress), _explained(job.out):
            run_graph(job, todo, engine, bundle)
    found = zip(job.tasks, earlier, strict=True)
    return [report or _report_of(job, task) for task, report in found]


def forecast_job(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    *,
    engine: Engine = IN_PROCESS,
) -> Forecast:
    """Plans a job and times it for a few seconds; writes nothing to `out`.

    Takes the arguments of `generate` and raises its errors.
    """
    job, _ = _checked_job(config, data, model, out, engine)
    names = DatasetDir.open(job.data).manifest.class_names
    return forecast(job, names, engine.num_workers)


def _checked_job(
    config: Config,
    data: Location,
    model: Location,
    out: Location,
    engine: Engine,
) -> tuple[GenerationJob, Bundle]:
    """Checks the arguments, plans a job and loads its bundle before anything is written."""
    check_backend()
    check_apart(out, {"--data": data, "--model": model})
    data, model, out = map(as_location, (data, model, out))
    job = plan_job(config.generate, data, model, out, engine)
    return job, _load(job, engine)


def _load(job: GenerationJob, engine: Engine) -> Bundle:
    """Loads the bundle, so that a damaged one is refused here and not in a worker."""
    if engine.runs_here:  # TensorFlow takes the number of threads only before it runs
        limit_threads(job.settings.threads)
    with local_folder(job.model) as folder:
        return load_bundle(folder)


def check_backend() -> None:
    """Rejects every backend but TensorFlow, since another would give other bytes."""
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ValueError(
            "TensorFlow decodes variants, so that their bytes are the same whichever backend "
            f"trained the model. Expected: KERAS_BACKEND=tensorflow. Received: {backend}. "
            "Set the variable before the first import of keras."
        )


@contextmanager
def _explained(out: str) -> Iterator[None]:
    """Turns the failure of a runner, whose message is a whole trace, into one with its cause."""
    try:
        yield
    except Exception as error:
        if stop := raised_stop():  # Beam turns whatever is raised in a worker into its own error
            raise stop from None
        lines = [line for line in str(error).splitlines() if line.strip()]
        said = f"{type(error).__name__}: {lines[-1] if lines else ''}"
        cause = next((line for line in reversed(lines) if "Error" in line), said)
        raise RuntimeError(
            f"The run stopped. Expected: every shard of '{out}' written. Received: "
            f"{cause.strip().rstrip('.')}. Finished shards are kept. Remove the cause "
            "and run the same command again (LATENTLOOM_VERBOSE=1 shows the whole trace)."
        ) from error


def _report_of(job: GenerationJob, task: ShardTask) -> ShardReport:
    report = job.written(task)
    if report is None:
        raise RuntimeError(
            f"The run ended without the shard '{task.file}'. Expected: every shard finished. "
            "Received: no report of it. Read the runner's log and run the command again: "
            "finished shards are kept."
        )
    return report


@contextmanager
def _watched(job: GenerationJob, progress: Progress | None) -> Iterator[None]:
    """Reports progress while the block runs, by counting the report files that workers write."""
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
