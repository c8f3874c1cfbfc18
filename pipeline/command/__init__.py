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
from latentloom.pipeline.terminal.exit_codes import REPORTED, exit_code, is_refusal
from latentloom.pipeline.terminal.quiet import prepare_process
from latentloom.pipeline.terminal.stops import Stopped, end_stopped, raised_on_signals

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
    """Runs the command; a user's mistake is one message and exit code 2, a stop 130 or 143."""
    with raised_on_signals():
        try:
            prepare_process()
            app()
        except Stopped as stop:
            end_stopped(stop)
        except REPORTED as error:
            if not is_refusal(error) or os.environ.get("LATENTLOOM_VERBOSE"):
                traceback.print_exc()
            typer.echo(f"latentloom: {error}", err=True)
            sys.exit(exit_code(error))
