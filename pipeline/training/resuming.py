"""Finds a finished or an interrupted training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentloom.model_zoo.bundle import Bundle, load_bundle
from latentloom.pipeline.config import Config
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.output_directories import claim_directory

STATE_FOLDER = "train_state"
RUN_FILE = "run.json"


def finished_bundle(out: Path, run: dict[str, Any]) -> Bundle:
    """The bundle of a run that has nothing left to do."""
    bundle = load_bundle(out)
    saved = Config.model_validate(bundle.details["config"])
    found = {
        "config": saved.run_settings(),
        "data": bundle.details["data"]["digest"],
        "backend": bundle.details["backend"],
    }
    _check_same_run(out, found, run)
    return bundle


def claim_run(out: Path, run: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
    """Takes the output directory for this run, new or interrupted."""
    state = out / STATE_FOLDER
    interrupted = (state / RUN_FILE).exists() and not overwrite
    if interrupted and not resume:
        raise FileExistsError(
            f"'{out}' holds a training that was interrupted. Expected: a new or empty directory. "
            f"Received: --out {out}. Pass --resume to go on with it, or --overwrite to start anew."
        )
    claim_directory(out, overwrite=overwrite, resumable=interrupted)
    if interrupted:
        _check_same_run(out, json.loads((state / RUN_FILE).read_text()), run)
    else:
        state.mkdir(parents=True, exist_ok=True)
        write_atomic(state / RUN_FILE, json.dumps(run))


def _check_same_run(out: Path, found: dict[str, Any], run: dict[str, Any]) -> None:
    if found != json.loads(json.dumps(run)):
        raise ValueError(
            f"'{out}' belongs to another run. Expected: the configuration, the data and the "
            "backend that it was started with. Received: others. Choose another --out, or "
            "pass --overwrite to start anew."
        )
