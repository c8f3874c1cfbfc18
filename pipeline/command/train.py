"""The verb `train`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentloom.pipeline.command.options import (
    Data,
    Overwrite,
    Settings,
    local_input_path,
    local_output_path,
)
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_measured

if TYPE_CHECKING:  # its settings cost a tenth of a second, which other verbs need not wait for
    from latentloom.pipeline.config import Config


def train(
    data: Data,
    out: Annotated[
        str,
        typer.Option("--out", callback=local_output_path, help="Directory for the model bundle."),
    ],
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="YAML file, see configs/; or `auto`, chosen from the data.",
            callback=local_input_path,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("--config", callback=local_input_path, help="The same as CONFIG."),
    ] = None,
    settings: Settings = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes",
            help="Time of the whole training: 80 % for the model, 10 % for each of its two judges.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run.")] = False,
    overwrite: Overwrite = False,
    cache: Annotated[
        str | None,
        typer.Option(
            callback=local_output_path,
            help="Folder for decoded training images, which spares decoding them in every epoch.",
        ),
    ] = None,
) -> None:
    """Train a model with its judges and write the bundle.

    Set the variable `KERAS_BACKEND=jax` to train with JAX; `generate` reads the bundle as usual.
    """
    resolved = _resolved(_chosen(path, config), data, Path(out), settings or (), minutes)
    start_tensorflow()
    from latentloom.pipeline.terminal.progress import ProgressDisplay
    from latentloom.pipeline.training.train import measures_of, train_bundle

    bundle = train_bundle(
        resolved,
        data,
        Path(out),
        resume=resume,
        overwrite=overwrite,
        cache=cache,
        display=ProgressDisplay(),
    )
    print_measured(measures_of(bundle))
    typer.echo(
        f"Bundle {bundle.digest[:12]} in {out}. Next: latentloom generate "
        f"{Path(out) / 'config.yaml'} --data {data} --model {out} --out ..."
    )


def _chosen(path: str | None, option: str | None) -> str:
    """Returns the one of argument and option that was given.

    Raises:
        ValueError: Both were given, or neither.
    """
    given = [name for name in (path, option) if name is not None]
    if len(given) != 1:
        raise ValueError(
            "`train` needs one configuration. Expected: CONFIG or --config, and not both. "
            f"Received: CONFIG={path}, --config={option}. Name a file, such as "
            "configs/photographs.yaml, or `auto`."
        )
    return given[0]


def _resolved(
    config: str, data: str, out: Path, settings: Sequence[str], minutes: float | None
) -> Config:
    """Reads the configuration, or chooses it and says what it chose."""
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.config.automatic import AUTO
    from latentloom.pipeline.config.time_budget import time_settings
    from latentloom.pipeline.storage.output_directories import check_apart

    settings = [*time_settings(minutes), *settings]
    if config != AUTO:
        check_apart(out, {"CONFIG": config})
        return load_config(Path(config), settings)
    from latentloom.pipeline.training.automatic_config import automatic_config, told

    resolved, seen = automatic_config(data, settings, minutes)
    for line in told(resolved, seen, out):
        typer.echo(line, err=True)
    return resolved
