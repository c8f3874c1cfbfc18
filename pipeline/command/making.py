"""The verbs that make something: data sets, bundles, variants, and all of it for a look."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from latentloom.pipeline.command.options import (
    Config_,
    Data,
    Model,
    Overwrite,
    Settings,
    app,
    local_path,
)
from latentloom.pipeline.quiet import start_tensorflow
from latentloom.pipeline.sources.open_source import SPECS
from latentloom.pipeline.tables import print_report, print_table

_SPECS = [f"`{spec}`" for spec in SPECS]


@app.command("import")
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
    from latentloom.pipeline.importing import LEFT_OUT, import_dataset
    from latentloom.pipeline.progress import ProgressDisplay

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
    for reason, splits in dataset.manifest.details.get(LEFT_OUT, {}).items():
        typer.echo(f"Left out {splits}: {reason}.")
    typer.echo(f"Imported {counts} to {out}. Next: latentloom train CONFIG --data {out} --out ...")


@app.command()
def train(
    config: Config_,
    data: Data,
    out: Annotated[
        Path, typer.Option("--out", parser=local_path, help="Directory for the model bundle.")
    ],
    settings: Settings = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was interrupted.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Train a model with its judges and write the bundle.

    Set the variable `KERAS_BACKEND=jax` to train with JAX; the bundle is the same to `generate`.
    """
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from latentloom.pipeline.progress import ProgressDisplay
    from latentloom.pipeline.training import train_bundle

    bundle = train_bundle(
        resolved, data, out, resume=resume, overwrite=overwrite, display=ProgressDisplay()
    )
    print_table("Measured", [(f["name"], f"{f['value']:.4f}") for f in bundle.details["figures"]])
    typer.echo(
        f"Bundle {bundle.digest[:12]} in {out}. Next: latentloom generate {config} --data {data} "
        f"--model {out} --out ..."
    )


@app.command(context_settings={"allow_extra_args": True})
def generate(
    context: typer.Context,
    config: Config_,
    data: Data,
    model: Model,
    out: Annotated[str, typer.Option("--out", help="Directory for the variants.")],
    runner: Annotated[str, typer.Option(help="Beam runner by name.")] = "FnApiRunner",
    settings: Settings = None,
    overwrite: Overwrite = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would make and cost; write nothing.")
    ] = False,
) -> None:
    """Make variants of a data set with Beam. What follows `--` goes to Beam unchanged.

    Running the same command again after an interruption skips the shards that are finished.
    Variants are decoded by TensorFlow, whichever backend trained the model.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from latentloom.pipeline.generation import forecast_job
    from latentloom.pipeline.generation import generate as generate_dataset
    from latentloom.pipeline.progress import ProgressDisplay
    from latentloom.pipeline.reporting import report_on

    if dry_run:
        plan = forecast_job(resolved, data, model, out, runner=runner, beam_args=context.args)
        print_table("Classes", plan.class_rows(), ("class", "examples", "variants"))
        print_table("Forecast", plan.rows())
        return
    display = ProgressDisplay()
    with display.stage("generate") as advance:
        generate_dataset(
            resolved,
            data,
            model,
            out,
            runner=runner,
            beam_args=context.args,
            overwrite=overwrite,
            progress=advance,
        )
    with display.stage("report") as advance:
        report = report_on(resolved, data, model, out)
        advance(1, 1)
    print_report(report)
    typer.echo(f"Data set in {out}, pictures and figures in {os.path.join(out, 'report.html')}.")


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", parser=local_path, help="Directory for everything.")
    ] = Path("demo"),
    overwrite: Overwrite = False,
) -> None:
    """Variants and recombinations of embedded letters, from import to report, in a few minutes."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    start_tensorflow()
    from latentloom.pipeline.demo import run_demo
    from latentloom.pipeline.progress import ProgressDisplay

    reports = run_demo(out, overwrite=overwrite, display=ProgressDisplay())
    for made, report in reports.items():
        print_report(report, made.capitalize())
    pages = " and ".join(str(out / made / "report.html") for made in reports)
    typer.echo(f"Open {pages} in a browser.")
