"""The command `latentloom`: one verb a step, from any labelled images to variants of them."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from latentloom.pipeline.command import making, measuring  # registers the verbs
from latentloom.pipeline.command.options import app
from latentloom.pipeline.quiet import prepare_process
from latentloom.pipeline.refusals import REPORTED, exit_code, is_refusal

__all__ = ["app", "main", "making", "measuring"]


def main() -> None:
    """Runs the command; a user's mistake is one message and exit code 2."""
    prepare_process()
    try:
        app()
    except REPORTED as error:
        if not is_refusal(error) or os.environ.get("LATENTLOOM_VERBOSE"):
            traceback.print_exc()
        typer.echo(f"latentloom: {error}", err=True)
        sys.exit(exit_code(error))
