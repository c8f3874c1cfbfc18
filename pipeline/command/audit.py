"""The verb `audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.command.options import Overwrite, input_path, local_output_path
from latentloom.pipeline.terminal.quiet import start_tensorflow


def audit(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="Data set directory.", callback=input_path)
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out", callback=local_output_path, help="Directory for the page and its figures."
        ),
    ],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other samples.")] = 0,
    overwrite: Overwrite = False,
) -> None:
    """Find what a data set lacks and what is wrong with it, before any training.

    Looks for factors and properties of the images that give the label away, missing combinations,
    unequal classes, copies, leaks between splits and wrong labels. Writes `repair.yaml`, a
    configuration for `train` and `generate` that fills what is missing.
    """
    start_tensorflow()
    from latentloom.pipeline.auditing.audit import audit as audit_dataset
    from latentloom.pipeline.auditing.audited import REPAIR_FILE
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    report = audit_dataset(
        data, Path(out), seed=seed, overwrite=overwrite, display=ProgressDisplay()
    )
    for sentence in report.summary:
        typer.echo(sentence)
    typer.echo(f"Page in {Path(out, 'audit.html')}, repair in {Path(out, REPAIR_FILE)}.")
