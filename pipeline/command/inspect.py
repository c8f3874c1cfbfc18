"""The verb `inspect`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import plain, print_table


def inspect(
    path: Annotated[str, typer.Argument(metavar="DIR|BUNDLE", help="Directory to describe.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the contents of a data set directory or a model bundle."""
    start_tensorflow()
    from latentloom.pipeline.observations.vocabulary import summarise
    from latentloom.pipeline.verification.describe import describe

    description = describe(path)
    if as_json:
        typer.echo(json.dumps(description, indent=2))
        return
    if words := description.get("vocabulary"):
        description["vocabulary"] = summarise(words)
    print_table(str(path), [(name, plain(value)) for name, value in description.items()])
