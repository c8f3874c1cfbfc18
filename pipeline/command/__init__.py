"""The command `latentloom`: one verb per step, from labelled images to variants of them."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence

import typer

from latentloom.pipeline.command import (
    audit,
    demo,
    evaluate,
    export,
    generate,
    import_,
    inspect,
    look,
    study,
    train,
    verify,
)
from latentloom.pipeline.command.options import app
from latentloom.pipeline.terminal.exit_codes import exit_code, is_refusal, reported_errors
from latentloom.pipeline.terminal.quiet import prepare_process
from latentloom.pipeline.terminal.stops import Stopped, end_stopped, raised_on_signals, raised_stop

__all__ = ["app", "main"]

app.command("import")(import_.import_)
app.command()(audit.audit)
app.command()(train.train)
app.command(context_settings={"allow_extra_args": True})(generate.generate)
app.command()(evaluate.evaluate)
app.command()(study.study)
app.command()(export.export)
app.command()(verify.verify)
app.command()(inspect.inspect)
app.command()(look.look)
app.command()(demo.demo)


def main() -> None:
    """Runs the command; a user's mistake is one message and exit code 2, a stop 130 or 143."""
    with raised_on_signals():
        try:
            _escape_what_no_terminal_shows()
            prepare_process()
            _check_words(sys.argv[1:])
            app()
        except Stopped as stop:
            end_stopped(stop)
        except Exception as error:
            if stop := raised_stop():  # a library has made something else of it
                end_stopped(stop)
            if not isinstance(error, reported_errors()):
                raise
            if not is_refusal(error) or os.environ.get("LATENTLOOM_VERBOSE"):
                traceback.print_exc()
            typer.echo(f"latentloom: {str(error) or type(error).__name__}", err=True)
            sys.exit(exit_code(error))


def _escape_what_no_terminal_shows() -> None:
    """Prints letters that the encoding of the terminal lacks as escapes, not as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _check_words(words: Sequence[str]) -> None:
    """Rejects a word that is not UTF-8: neither a manifest nor a message could hold it."""
    for word in words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise ValueError(
                "A word of the command is not UTF-8. Expected: names and settings in UTF-8. "
                f"Received: {word!r}. Rename the file or the folder."
            )
