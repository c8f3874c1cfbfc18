"""The verb `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.command.options import (
    Data,
    Model,
    Overwrite,
    Settings,
    input_path,
    local_output_path,
)
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import figure_rows, print_measured, print_table


def evaluate(
    data: Data,
    model: Model,
    out: Annotated[
        str,
        typer.Option(
            "--out", callback=local_output_path, help="Directory for the page and its figures."
        ),
    ],
    full_model: Annotated[
        str | None,
        typer.Option(
            "--full-model",
            callback=input_path,
            help="Bundle of the same configuration, also trained on the cells of data.hold_out; "
            "the report compares both models on these cells.",
        ),
    ] = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure a bundle: which blocks of its code hold the class, and what its decoder makes.

    The configuration is the one stored in the bundle; `--set` changes `evaluate` and `generate`.
    """
    start_tensorflow()
    from latentloom.pipeline.evaluation.evaluate import evaluate as evaluate_bundle
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    report = evaluate_bundle(
        data,
        model,
        Path(out),
        full_model=full_model,
        overrides=settings or (),
        overwrite=overwrite,
        display=ProgressDisplay(),
    )
    print_measured(report.numbers)
    for table in report.unseen_combinations:
        print_table(f"Unseen combinations: {table.title}", *figure_rows(table))
    typer.echo(
        f"Page in {Path(out, 'evaluation.html')}, figures in {Path(out, 'evaluation.json')}."
    )
