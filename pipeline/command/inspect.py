"""The verb `inspect`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from latentloom.pipeline.command.options import exit_on_problems, input_path
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import plain, print_table


def inspect(
    path: Annotated[
        str,
        typer.Argument(metavar="DIR|BUNDLE", help="Directory to describe.", callback=input_path),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the contents of a data set directory or a model bundle.

    Exit 1 and name the files, if some have another size or digest than recorded. The digests of
    shards are not compared; `verify` does that.
    """
    from latentloom.pipeline.observations.vocabulary import summarise
    from latentloom.pipeline.verification.describe import describe, find_changes, is_bundle

    if is_bundle(path):
        start_tensorflow()
    description = describe(path)
    if as_json:
        typer.echo(json.dumps(description, indent=2))
    else:
        if words := description.get("vocabulary"):
            description["vocabulary"] = summarise(words)
        print_table(str(path), [(name, plain(value)) for name, value in description.items()])
    exit_on_problems(find_changes(path))
