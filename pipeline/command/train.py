"""The verb `train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.command.options import (
    Config_,
    Data,
    Overwrite,
    Settings,
    local_output_path,
)
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_table


def train(
    config: Config_,
    data: Data,
    out: Annotated[
        str,
        typer.Option("--out", callback=local_output_path, help="Directory for the model bundle."),
    ],
    settings: Settings = None,
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
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.storage.output_directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(Path(config), settings or ())
    start_tensorflow()
    from latentloom.pipeline.dataset.details import BundleDetails
    from latentloom.pipeline.terminal.progress import ProgressDisplay
    from latentloom.pipeline.training.train import train_bundle

    bundle = train_bundle(
        resolved,
        data,
        Path(out),
        resume=resume,
        overwrite=overwrite,
        cache=cache,
        display=ProgressDisplay(),
    )
    figures = BundleDetails.read(bundle.details).figures
    print_table("Measured", [(f["name"], f"{f['value']:.4f}") for f in figures])
    typer.echo(
        f"Bundle {bundle.digest[:12]} in {out}. Next: latentloom generate {config} --data {data} "
        f"--model {out} --out ..."
    )
