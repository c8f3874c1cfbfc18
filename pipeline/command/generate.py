"""The verb `generate`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from latentloom.pipeline.command.options import Config_, Data, Model, Overwrite, Settings
from latentloom.pipeline.config import Config, load_config
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_report, print_table

Out = Annotated[str, typer.Option("--out", help="Directory for the variants.")]
Runner = Annotated[str, typer.Option(help="Beam runner by name.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would make and cost; write nothing.")
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
    """Make variants of a data set with Beam. What follows `--` goes to Beam unchanged.

    Running the same command again after an interruption skips the shards that are finished.
    Variants are decoded by TensorFlow, whichever backend trained the model.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from latentloom.pipeline.storage.output_directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    job = (resolved, data, model, out)
    if dry_run:
        _forecast(*job, runner=runner, beam_args=context.args)
    else:
        _make(*job, runner=runner, beam_args=context.args, overwrite=overwrite)


def _forecast(config: Config, data: str, model: str, out: str, **engine) -> None:
    """Prints what the job would make and cost."""
    from latentloom.pipeline.generation.generate import forecast_job

    forecast = forecast_job(config, data, model, out, **engine)
    print_table("Classes", forecast.class_rows(), ("class", "examples", "variants"))
    print_table("Forecast", forecast.rows())


def _make(config: Config, data: str, model: str, out: str, **options) -> None:
    """Makes the variants and a report on them, and prints the report."""
    from latentloom.pipeline.evaluation.variants_report import report_on
    from latentloom.pipeline.generation.generate import generate
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    display = ProgressDisplay()
    with display.stage("generate") as advance:
        generate(config, data, model, out, **options, progress=advance)
    with display.stage("report") as advance:
        report = report_on(config, data, model, out)
        advance(1, 1)
    print_report(report)
    typer.echo(f"Data set in {out}, pictures and figures in {os.path.join(out, 'report.html')}.")
