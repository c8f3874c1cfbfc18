"""The command `latentloom`: one verb per step, from labelled images to variants of them."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from latentloom.pipeline.command import (
    demo,
    evaluate,
    generate,
    import_,
    inspect,
    study,
    train,
    verify,
)
from latentloom.pipeline.command.options import app
from latentloom.pipeline.terminal.exit_codes import exit_code, is_refusal, reported_errors
from latentloom.pipeline.terminal.quiet import prepare_process

__all__ = ["app", "main"]

app.command("import")(import_.import_)
app.command()(train.train)
app.command(context_settings={"allow_extra_args": True})(generate.generate)
app.command()(evaluate.evaluate)
app.command()(study.study)
app.command()(verify.verify)
app.command()(inspect.inspect)
app.command()(demo.demo)


def main() -> None:
    """Runs the command; a user's mistake is one message and exit code 2."""
    prepare_process()
    try:
        app()
    except reported_errors() as error:
        if not is_refusal(error) or os.environ.get("LATENTLOOM_VERBOSE"):
            traceback.print_exc()
        typer.echo(f"latentloom: {str(error) or type(error).__name__}", err=True)
        sys.exit(exit_code(error))
