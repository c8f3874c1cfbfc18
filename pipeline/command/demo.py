"""The verb `demo`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.command.options import Overwrite, local_output_path
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_report


def demo(
    out: Annotated[
        str, typer.Option("--out", callback=local_output_path, help="Directory for everything.")
    ] = "demo",
    overwrite: Overwrite = False,
) -> None:
    """Variants and recombinations of embedded letters, from import to report, in a few minutes."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    start_tensorflow()
    from latentloom.pipeline.command.demo_run import run_demo
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    reports = run_demo(Path(out), overwrite=overwrite, display=ProgressDisplay())
    for made, report in reports.items():
        print_report(report, made.capitalize())
    pages = " and ".join(str(Path(out, made, "report.html")) for made in reports)
    typer.echo(f"Open {pages} in a browser.")
