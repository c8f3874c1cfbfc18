"""The command itself, and the options that several verbs share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from latentloom.pipeline.storage.files import as_location, is_remote
from latentloom.pipeline.terminal.exit_codes import FAILED_RUN

app = typer.Typer(
    name="latentloom",
    help="Make more training images of every class: learn to tell class and style apart, "
    "keep the class, redraw the style. Start with `latentloom demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="A whole run: `latentloom import folder:photos data`, then "
    "`latentloom train CONFIG --data data --out bundle`, then "
    "`latentloom generate CONFIG --data data --model bundle --out variants`.",
)


def local_path(path: str | Path) -> Path:
    """Returns a local path.

    Raises:
        typer.BadParameter: If the path has a scheme.
    """
    if is_remote(path):
        raise typer.BadParameter(
            f"'{path}' is a remote path. Expected: a local directory; only `import` and "
            "`generate` write to remote paths. Write locally, then copy the directory."
        )
    return Path(as_location(path))


Config_ = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file, see configs/.")]
Data = Annotated[str, typer.Option("--data", help="Data set directory made by `import`.")]
Model = Annotated[str, typer.Option("--model", help="Model bundle made by `train`.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, such as `generate.seed=1`."
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the output of an earlier run.")
]


def exit_on_problems(problems: Sequence[Any]) -> None:
    """Names the problems of a directory, one a line, and then ends the command with exit code 1.

    Args:
        problems: Problems with `file` and `reason`.
    """
    for problem in problems:
        file = problem.file if problem.file.isprintable() else repr(problem.file)
        typer.echo(f"{file} {' '.join(problem.reason.split())}", err=True)
    if problems:
        raise typer.Exit(FAILED_RUN)
