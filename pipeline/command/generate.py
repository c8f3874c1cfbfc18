"""The verb `generate`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from latentloom.pipeline.command.options import Config_, Data, Model, Overwrite, Settings
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_report, print_table


def generate(
    context: typer.Context,
    config: Config_,
    data: Data,
    model: Model,
    out: Annotated[str, typer.Option("--out", help="Directory for the variants.")],
    runner: Annotated[str, typer.Option(help="Beam runner by name.")] = "FnApiRunner",
    settings: Settings = None,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would make and cost; write nothing.")
    ] = False,
) -> None:
    """Make variants of a data set with Beam. What follows `--` goes to Beam unchanged.

    Running the same command again after an interruption skips the shards that are finished.
    Variants are decoded by TensorFlow, whichever backend trained the model.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.storage.output_directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from latentloom.pipeline.evaluation.variants_report import report_on
    from latentloom.pipeline.generation.engines import Engine
    from latentloom.pipeline.generation.forecast_table import class_rows, total_rows
    from latentloom.pipeline.generation.generate import forecast_job
    from latentloom.pipeline.generation.generate import generate as generate_dataset
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    engine, places = Engine(runner, context.args), (data, model, out)
    if dry_run:
        plan = forecast_job(resolved, *places, engine=engine)
        print_table("Classes", class_rows(plan), ("class", "examples", "variants"))
        print_table("Forecast", total_rows(plan))
        return
    display = ProgressDisplay()
    with display.stage("generate") as advance:
        generate_dataset(resolved, *places, engine=engine, overwrite=overwrite, progress=advance)
    with display.stage("report") as advance:
        report = report_on(resolved, *places)
        advance(1, 1)
    print_report(report)
    typer.echo(f"Data set in {out}, pictures and figures in {os.path.join(out, 'report.html')}.")
