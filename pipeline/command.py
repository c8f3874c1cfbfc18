"""The command `latentloom`: one verb a step, from any labelled images to variants of them."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from pipeline.files import is_remote
from pipeline.quiet import prepare_process, start_tensorflow
from pipeline.refusals import FAILED_RUN, REPORTED, exit_code, is_refusal
from pipeline.tables import measured_rows, plain, print_report, print_table

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


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="`builtin:fonts`, `builtin:letters`, `builtin:digits`, `builtin:moons`, "
            "`idx:DIR`, `npz:FILE`, `folder:DIR`, `tfds:NAME` or `tfrecord:GLOB`.",
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
    shards: Annotated[
        int | None, typer.Option(min=1, help="Files a split; by default one per 8,192 examples.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn labelled images or vectors into a data set: TFRecord, TFDS metadata, manifest."""
    start_tensorflow()
    from pipeline.importing import import_dataset
    from pipeline.progress import ProgressDisplay

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
            shards=shards,
            overwrite=overwrite,
            progress=advance,
        )
    counts = {split: dataset.manifest.num_examples(split) for split in dataset.splits}
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
    from pipeline.config import load_config
    from pipeline.directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from pipeline.progress import ProgressDisplay
    from pipeline.training import train_bundle

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
) -> None:
    """Make variants of a data set with Beam. What follows `--` goes to Beam unchanged.

    Running the same command again after an interruption skips the shards that are finished.
    Variants are decoded by TensorFlow, whichever backend trained the model.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from pipeline.config import load_config
    from pipeline.directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from pipeline.generation import generate as generate_dataset
    from pipeline.progress import ProgressDisplay
    from pipeline.reporting import report_on

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
def evaluate(
    data: Data,
    model: Model,
    out: Annotated[
        Path,
        typer.Option("--out", parser=local_path, help="Directory for the page and its figures."),
    ],
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure a bundle: where its code holds the class, and what its decoder makes.

    The configuration is the one stored in the bundle; `--set` changes `evaluate` and `generate`.
    """
    start_tensorflow()
    from pipeline.evaluation import evaluate as evaluate_bundle
    from pipeline.progress import ProgressDisplay

    report = evaluate_bundle(
        data, model, out, overrides=settings or (), overwrite=overwrite, display=ProgressDisplay()
    )
    print_table("Measured", measured_rows(report.numbers), ("", "value", "chance"))
    typer.echo(f"Page in {out / 'evaluation.html'}, figures in {out / 'evaluation.json'}.")


@app.command()
def study(
    config: Config_,
    data: Data,
    out: Annotated[Path, typer.Option("--out", parser=local_path, help="Directory for the study.")],
    generated: Annotated[
        Path | None,
        typer.Option(
            "--generated", parser=local_path, help="Examples generated from all training examples."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", parser=local_path, help="Bundle trained on all training examples."),
    ] = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure whether generated examples help a classifier, beside what rivals do.

    Trains one classifier for every arm, size and seed, on the same real examples and for the same
    steps. Without --generated and --model, a generator is trained for every size and seed on these
    examples alone. The same command again goes on with a study that was interrupted.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from pipeline.config import load_config
    from pipeline.directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from pipeline.dataset_dir import DatasetDir
    from pipeline.progress import ProgressDisplay
    from pipeline.study import report_study, run_study

    results = run_study(
        resolved,
        data,
        out,
        generated=generated,
        model=model,
        overwrite=overwrite,
        display=ProgressDisplay(),
    )
    report = report_study(resolved, DatasetDir.open(data), results, out)
    print_report(report)
    typer.echo(f"Page in {out / 'study.html'}, figures in {out / 'study.json'}.")


@app.command()
def verify(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Data set directory.")],
    other: Annotated[
        str | None,
        typer.Option("--compare", metavar="OTHER", help="Data set that should be the same."),
    ] = None,
) -> None:
    """Check every file of a data set against its manifest; exit 1 and name what is damaged.

    With --compare also measure how the records agree with those of OTHER, such as the same run on
    another machine; exit 1 and name what differs by more than another kind of CPU explains.
    """
    start_tensorflow()
    from pipeline.agreement import check_comparable
    from pipeline.verification import verify as verify_dataset

    if other is not None:
        check_comparable(directory, other)
    found = verify_dataset(directory)
    for problem in found.problems:
        typer.echo(f"{problem.file} {problem.reason}", err=True)
    if not found.ok:
        raise typer.Exit(FAILED_RUN)
    typer.echo(f"{directory} is whole: {found.records:,} records in {found.shards} shards.")
    if other is not None:
        _compare(directory, other)


@app.command()
def inspect(
    path: Annotated[str, typer.Argument(metavar="DIR|BUNDLE", help="What to look into.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show what is in a data set directory or a model bundle."""
    start_tensorflow()
    from pipeline.inspection import describe

    description = describe(path)
    if as_json:
        typer.echo(json.dumps(description, indent=2))
        return
    print_table(str(path), [(name, plain(value)) for name, value in description.items()])


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
    from pipeline.demo import run_demo
    from pipeline.progress import ProgressDisplay

    reports = run_demo(out, overwrite=overwrite, display=ProgressDisplay())
    for made, report in reports.items():
        print_report(report, made.capitalize())
    pages = " and ".join(str(out / made / "report.html") for made in reports)
    typer.echo(f"Open {pages} in a browser.")


def _compare(directory: Path, other: Path) -> None:
    """Prints how two data sets agree; exits 1 if they are not what one run gives everywhere."""
    from pipeline.comparing import compare

    agreement = compare(directory, other)
    print_table("Agreement", agreement.rows(), ("", "found", "promised"))
    for breach in agreement.breaches:
        typer.echo(breach, err=True)
    if not agreement.holds:
        raise typer.Exit(FAILED_RUN)
    same = "are the same bytes" if agreement.equal_shards == agreement.shards else "agree"
    typer.echo(f"{directory} and {other} {same}: {agreement.records:,} records.")


def main() -> None:
    """Runs the command; a user's mistake is one message and exit code 2."""
    prepare_process()
    try:
        app()
    except REPORTED as error:
        if not is_refusal(error) or os.environ.get("LATENTLOOM_VERBOSE"):
            traceback.print_exc()
        typer.echo(f"latentloom: {error}", err=True)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
