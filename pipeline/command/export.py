"""The verb `export`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from latentloom.pipeline.command.options import Overwrite, input_path, local_output_path


def export(
    path: Annotated[
        str,
        typer.Argument(
            metavar="DIR|BUNDLE", help="Data set directory or model bundle.", callback=input_path
        ),
    ],
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="Directory to write.", callback=local_output_path)
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="parquet, webdataset, folder or array_record of a data set; saved_model or onnx "
            "of a bundle.",
        ),
    ],
    overwrite: Overwrite = False,
) -> None:
    """Write a data set or a bundle in the format of another library.

    parquet: as Hugging Face `datasets` reads it, with the names of classes. webdataset: tar files
    of PNG, class and facts. folder: a folder of PNG files a class, and the table metadata.csv.
    array_record: records in any order, for TFDS and Grain. saved_model, onnx: encoder, decoder and
    judge for TensorFlow alone, or for runtimes of ONNX.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from latentloom.pipeline.api.exports import export as export_path

    done = export_path(path, out, to, overwrite=overwrite, progress=True)
    if "examples" not in done:
        typer.echo(f"Exported the bundle as {to} to {out}.")
        return
    examples = ", ".join(f"{count:,} {split}" for split, count in done["examples"].items())
    typer.echo(f"Exported {examples} as {to} to {out}.")
