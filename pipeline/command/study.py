"""The verb `study`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.command.options import (
    Config_,
    Data,
    Overwrite,
    Settings,
    local_input_path,
    local_output_path,
)
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_report


def study(
    config: Config_,
    data: Data,
    out: Annotated[
        str, typer.Option("--out", callback=local_output_path, help="Directory for the study.")
    ],
    generated: Annotated[
        str | None,
        typer.Option(
            "--generated",
            callback=local_input_path,
            help="Examples generated from all training examples.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", callback=local_input_path, help="Bundle trained on all training examples."
        ),
    ] = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure whether generated examples help a classifier, and compare them with rivals.

    Trains one classifier for every arm, size and seed, on the same real examples and for the same
    number of steps. Without --generated and --model, also trains a generator for every size and
    seed on these examples alone. Run the same command again to resume an interrupted study.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.storage.output_directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved, folder = load_config(Path(config), settings or ()), Path(out)
    start_tensorflow()
    from latentloom.pipeline.dataset.directory import DatasetDir
    from latentloom.pipeline.study import report_study, studied
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    with studied(
        resolved,
        data,
        folder,
        generated=Path(generated) if generated else None,
        model=Path(model) if model else None,
        overwrite=overwrite,
        display=ProgressDisplay(),
    ) as results:
        report = report_study(resolved, DatasetDir.open(data), results, folder)
    print_report(report)
    typer.echo(f"Page in {folder / 'study.html'}, figures in {folder / 'study.json'}.")
