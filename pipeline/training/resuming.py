"""Finds a finished or an interrupted training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from latentloom.model_zoo.bundle import Bundle, load_bundle
from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.storage.output_directories import remove_files
from latentloom.pipeline.storage.run_marker import RunMarker
from latentloom.pipeline.terminal.stops import kept_if_stopped
from latentloom.pipeline.training.own_files import BUNDLE, RUN_FILE, STATE_FILES, STATE_FOLDER

STOPPED = "Finished epochs are kept. To go on, run the same command with --resume, not --overwrite."


def run_marker(out: Path, config: Config, data: str, backend: str) -> RunMarker:
    """The marker of a training.

    Args:
        out: Directory of the bundle.
        config: The whole configuration; the marker takes the settings that decide training.
        data: Digest of the data set.
        backend: Keras backend.
    """
    run = {"config": config.run_settings(), "data": data, "backend": backend}
    return RunMarker(out, f"{STATE_FOLDER}/{RUN_FILE}", run, error=ValueError)


def finished_bundle(out: Path, marker: RunMarker) -> Bundle:
    """The bundle of a run that is finished; tidies what is left if the run was killed at its end.

    Raises:
        FileExistsError: Another process holds the directory.
        ValueError: The bundle belongs to another run.
    """
    bundle = load_bundle(out)
    details = BundleDetails.read(bundle.details)
    saved = parse_config(details.config, f"the configuration stored in '{out}'")
    data = details.data.digest if details.data else ""
    marker.check(run_marker(out, saved, data, details.backend or "").identity)
    if marker.exists():
        with held_run(marker, resume=True, overwrite=False):
            remove_files(out, STATE_FILES)
    return bundle


@contextlib.contextmanager
def held_run(marker: RunMarker, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Holds the output directory for a new or interrupted run.

    Raises:
        FileExistsError: Another process holds the directory, or it is not empty and neither
            `resume` nor `overwrite` was given.
        ValueError: The directory belongs to another run.
    """
    if marker.exists() and not resume and not overwrite:
        out = marker.directory
        raise FileExistsError(
            f"'{out}' holds a training that was interrupted. Expected: a new or empty directory. "
            f"Received: --out {out}. Pass --resume to continue it, or --overwrite to start anew."
        )
    with kept_if_stopped(STOPPED), marker.held(BUNDLE, overwrite=overwrite):
        yield
