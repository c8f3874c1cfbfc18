"""The verb `demo`: variants and recombinations of embedded letters."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generated
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.storage.files import exists
from latentloom.pipeline.terminal.progress import ProgressDisplay
from latentloom.pipeline.terminal.stops import kept_if_stopped
from latentloom.pipeline.training.train import train_bundle
from latentloom.pipeline.verification.verify import verify

SOURCE = "builtin:letters"
STOPPED = "Finished steps are kept. To go on, run the same command again, without --overwrite."
VARIANTS, RECOMBINED = "variants", "recombined"
TRAINED = {
    "data": {"hold_out": {"pairs": {"share": 0.1, "factors": ["label", "background"]}}},
    "model": {
        "name": "gzs_net",
        "args": {
            "network": "dense",
            "block_dims": {"label": 16, "size": 4, "ink": 6, "background": 6, "font": 8},
            "sharing_weight": 0.1,
        },
    },
    "train": {"epochs": 8, "batch_size": 18, "learning_rate": 0.002, "warmup_steps": 100},
    "judge": {"epochs": 20, "batch_size": 32, "width": 16},
    "evaluate": {"anchors": 500, "variants": 8},
}
GENERATED = {
    VARIANTS: {
        "recipe": "class_preserving",
        "gate": {"min_confidence": 0.5},
    },
    RECOMBINED: {
        "recipe": "recombine_factors",
        "factors": ["label", "background", "ink"],
        "differ": [["ink", "background"]],
        "cells": "unseen",
        "per_cell": 8,
        "gate": {"min_confidence": 0.5},
    },
}


def demo_config(made: str = RECOMBINED) -> Config:
    """Returns the configuration of one part of the demo.

    Args:
        made: `"variants"` for variants of letters, or `"recombined"` for letters on backgrounds
            that training does not show together, as in configs/gzs_net_letters.yaml.
    """
    return parse_config({**TRAINED, "generate": GENERATED[made]}, "the demo")


def run_demo(out: Path, *, overwrite: bool, display: ProgressDisplay) -> dict[str, Report]:
    """Imports, trains, generates twice, verifies and reports into the folders of `out`.

    Keeps the finished steps of an earlier demo, unless `overwrite` is set.

    Returns:
        The report of each of the two data sets, by the name of its folder.
    """
    with kept_if_stopped(STOPPED):
        return _run_steps(out, overwrite=overwrite, display=display)


def _run_steps(out: Path, *, overwrite: bool, display: ProgressDisplay) -> dict[str, Report]:
    data, model = out / "data", out / "bundle"
    if overwrite or not exists(data / MANIFEST_FILE):
        with display.stage("import") as advance:
            import_dataset(SOURCE, data, overwrite=overwrite, progress=advance)
    train_bundle(demo_config(), data, model, resume=True, overwrite=overwrite, display=display)
    return {made: _make(made, out, overwrite=overwrite, display=display) for made in GENERATED}


def _make(made: str, out: Path, *, overwrite: bool, display: ProgressDisplay) -> Report:
    """Generates one of the two data sets, verifies it and reports on it."""
    config, data, model, folder = demo_config(made), out / "data", out / "bundle", out / made
    with ExitStack() as held:
        with display.stage(f"generate {made}") as advance:
            options = {"overwrite": overwrite, "progress": advance}
            held.enter_context(generated(config, data, model, folder, **options))
        report = report_on(config, data, model, folder, display)
    with display.stage("verify") as advance:
        if problems := verify(folder).problems:
            raise RuntimeError(
                f"The demo wrote a damaged data set '{folder}'. Expected: no problems. Received: "
                f"'{problems[0].file}' {problems[0].reason}. Check the disk and run it again."
            )
        advance(1, 1)
    return report
