"""The verb `generate`."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentloom.pipeline.command.options import (
    Config_,
    Data,
    Model,
    Overwrite,
    Settings,
    output_path,
)
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_report, print_table

if TYPE_CHECKING:  # its settings cost a tenth of a second, which other verbs need not wait for
    from latentloom.pipeline.config import Config

Out = Annotated[
    str, typer.Option("--out", callback=output_path, help="Directory for the variants.")
]
Runner = Annotated[str, typer.Option(help="Beam runner by name.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Estimate the result and its cost; write nothing.")
]


def generate(
    context: typer.Context,
    config: Config_,
    data: Data,
    model: Model,
    out: Out,
    runner: Runner = "FnApiRunner",
    settings: Settings = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
) -> None:
    """Make variants of a data set with Beam. Options after `--` go to Beam unchanged.

    Run the same command again after an interruption to skip the finished shards. TensorFlow decodes
    the variants, whichever backend trained the model.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.storage.output_directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(Path(config), settings or ())
    start_tensorflow()
    from latentloom.pipeline.generation.engines import Engine

    job, engine = (resolved, data, model, out), Engine(runner, context.args)
    if dry_run:
        _forecast(*job, engine=engine)
    else:
        _make(*job, engine=engine, overwrite=overwrite)


def _forecast(config: Config, data: str, model: str, out: str, **options) -> None:
    """Prints an estimate of the job's result and cost."""
    from latentloom.pipeline.generation.forecast_table import class_rows, total_rows
    from latentloom.pipeline.generation.generate import forecast_job

    forecast = forecast_job(config, data, model, out, **options)
    print_table("Classes", class_rows(forecast), ("class", "examples", "variants"))
    print_table("Forecast", total_rows(forecast))


def _make(config: Config, data: str, model: str, out: str, **options) -> None:
    """Makes the variants, reports on them, and prints the report."""
    from latentloom.pipeline.evaluation.variants_report import report_on
    from latentloom.pipeline.generation.generate import generated
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    job, display = (config, data, model, out), ProgressDisplay()
    with ExitStack() as held:
        with display.stage("generate") as advance:
            held.enter_context(generated(*job, **options, progress=advance))
        report = report_on(*job, display)
    print_report(report)
    typer.echo(f"Data set in {out}, pictures and figures in {os.path.join(out, 'report.html')}.")
