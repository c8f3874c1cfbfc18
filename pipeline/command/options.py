"""The command itself, and the options that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.storage.files import is_remote

app = typer.Typer(
    name="latentloom",
    help="Make more training images of every class: learn what makes the class and what does not, "
    "keep the first, redraw the second. Start with `latentloom demo`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="A whole run: `latentloom import folder:photos data`, then "
    "`latentloom train CONFIG --data data --out bundle`, then "
    "`latentloom generate CONFIG --data data --model bundle --out variants`.",
)


def local_path(path: str | Path) -> Path:
    """A path of this machine.

    Raises:
        typer.BadParameter: It has a scheme.
    """
    if is_remote(path):
        raise typer.BadParameter(
            f"'{path}' is not on this machine. Expected: a local directory; `import` and "
            "`generate` alone write elsewhere. Write here, then copy the directory."
        )
    return Path(path)


Config_ = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file, see configs/.")]
Data = Annotated[str, typer.Option("--data", help="Data set directory made by `import`.")]
Model = Annotated[str, typer.Option("--model", help="Model bundle made by `train`.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, such as `generate.seed=1`."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what a run wrote there.")]
