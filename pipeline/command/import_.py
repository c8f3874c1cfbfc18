"""The verb `import`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.command.options import Overwrite
from latentloom.pipeline.importing.open_source import SPECS
from latentloom.pipeline.terminal.quiet import start_tensorflow

_SPECS = [f"`{spec}`" for spec in SPECS]


def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help=" or ".join((", ".join(_SPECS[:-1]), _SPECS[-1])) + ".",
        ),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Directory to write.")],
    name: Annotated[str | None, typer.Option(help="Name of the data set.")] = None,
    label: Annotated[str | None, typer.Option(help="Field that is the class.")] = None,
    factors: Annotated[str | None, typer.Option(help="Factors to keep, comma-separated.")] = None,
    image_size: Annotated[
        int | None, typer.Option(min=4, max=1024, help="Side to resize images to, in pixels.")
    ] = None,
    max_examples: Annotated[
        int | None, typer.Option(min=1, help="Most examples to take, a fair sample.")
    ] = None,
    inks: Annotated[
        int | None,
        typer.Option(min=2, help="Inks to colour grey images with; they become the factor `ink`."),
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(
            help="Factors to measure from grey images, each of one bright object on a dark ground: "
            "`thickness`, `slant`, `width`, comma-separated. Values: low, middle and high third."
        ),
    ] = None,
    shards: Annotated[
        int | None, typer.Option(min=1, help="Files a split; by default one per 8,192 examples.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn labelled observations into a data set: TFRecord, TFDS metadata, manifest."""
    start_tensorflow()
    from latentloom.pipeline.dataset.details import ImportedDetails
    from latentloom.pipeline.importing.import_dataset import import_dataset
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    with ProgressDisplay().stage("import") as advance:
        dataset = import_dataset(
            source,
            out,
            name=name,
            label=label,
            factors=factors.split(",") if factors is not None else None,
            image_size=image_size,
            max_examples=max_examples,
            inks=inks,
            measure=measure.split(",") if measure is not None else None,
            shards=shards,
            overwrite=overwrite,
            progress=advance,
        )
    counts = {split: dataset.manifest.num_examples(split) for split in dataset.splits}
    for reason, splits in ImportedDetails.read(dataset.manifest.details).left_out.items():
        typer.echo(f"Left out {splits}: {reason}.")
    typer.echo(f"Imported {counts} to {out}. Next: latentloom train CONFIG --data {out} --out ...")
