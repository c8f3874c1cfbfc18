"""The command itself, and the options that several verbs share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from latentloom.pipeline.storage.path_checks import check_local, check_path
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
    "`latentloom train auto --data data --out bundle`, then "
    "`latentloom generate bundle/config.yaml --data data --model bundle --out variants`.",
)


def input_path(param: typer.CallbackParam, path: str | None) -> str | None:
    """Checks the path of an input; see `check_path`."""
    return None if path is None else check_path(path, _name(param), is_input=True)


def source_path(param: typer.CallbackParam, spec: str) -> str:
    """Checks the path in the spec of a source; see `check_path`."""
    _, _, where = spec.partition(":")
    if where:
        check_path(where, _name(param), is_input=True)
    return spec


def output_path(param: typer.CallbackParam, path: str | None) -> str | None:
    """Checks the path of an output directory; see `check_path`."""
    return None if path is None else check_path(path, _name(param))


def local_output_path(param: typer.CallbackParam, path: str | None) -> str | None:
    """Checks the path of an output directory, which must be local.

    Raises:
        ValueError: If the path has a scheme.
    """
    _check_local(param, path)
    return output_path(param, path)


def local_input_path(param: typer.CallbackParam, path: str | None) -> str | None:
    """Checks the path of an input, which must be local.

    Raises:
        ValueError: If the path has a scheme.
    """
    _check_local(param, path)
    return input_path(param, path)


def _check_local(param: typer.CallbackParam, path: str | None) -> None:
    if path is not None:
        check_local(path, _name(param))


def _name(param: typer.CallbackParam) -> str:
    """Returns the name of a parameter as the command's help shows it."""
    return str(param.opts[-1] if param.param_type_name == "option" else param.metavar)


Config_ = Annotated[
    str,
    typer.Argument(metavar="CONFIG", help="YAML file, see configs/.", callback=local_input_path),
]
Data = Annotated[
    str,
    typer.Option("--data", help="Data set directory made by `import`.", callback=input_path),
]
Model = Annotated[
    str, typer.Option("--model", help="Model bundle made by `train`.", callback=input_path)
]
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
