"""The verbs that measure, check and show what others made."""

from __future__ import annotations

import json
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
from latentloom.pipeline.refusals import FAILED_RUN
from latentloom.pipeline.tables import figure_rows, measured_rows, plain, print_report, print_table


@app.command()
def evaluate(
    data: Data,
    model: Model,
    out: Annotated[
        Path,
        typer.Option("--out", parser=local_path, help="Directory for the page and its figures."),
    ],
    full_model: Annotated[
        str | None,
        typer.Option(
            "--full-model",
            help="Bundle of the same recipe trained on the cells of data.hold_out, too; compared "
            "on them.",
        ),
    ] = None,
    settings: Settings = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure a bundle: where its code holds the class, and what its decoder makes.

    The configuration is the one stored in the bundle; `--set` changes `evaluate` and `generate`.
    """
    start_tensorflow()
    from latentloom.pipeline.evaluation import evaluate as evaluate_bundle
    from latentloom.pipeline.progress import ProgressDisplay

    report = evaluate_bundle(
        data,
        model,
        out,
        full_model=full_model,
        overrides=settings or (),
        overwrite=overwrite,
        display=ProgressDisplay(),
    )
    print_table("Measured", measured_rows(report.numbers), ("", "value", "chance"))
    for table in report.unseen_combinations:
        print_table(f"Unseen combinations: {table.title}", *figure_rows(table))
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
    from latentloom.pipeline.config import load_config
    from latentloom.pipeline.directories import check_apart

    check_apart(out, {"CONFIG": config})
    resolved = load_config(config, settings or ())
    start_tensorflow()
    from latentloom.pipeline.dataset_dir import DatasetDir
    from latentloom.pipeline.progress import ProgressDisplay
    from latentloom.pipeline.study import report_study, run_study

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
    from latentloom.pipeline.agreement import check_comparable
    from latentloom.pipeline.verification import verify as verify_dataset

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


def _compare(directory: str, other: str) -> None:
    """Prints how two data sets agree; exits 1 if they are not what one run gives everywhere."""
    from latentloom.pipeline.comparing import compare

    agreement = compare(directory, other)
    print_table("Agreement", agreement.rows(), ("", "found", "promised"))
    for breach in agreement.breaches:
        typer.echo(breach, err=True)
    if not agreement.holds:
        raise typer.Exit(FAILED_RUN)
    same = "are the same bytes" if agreement.equal_shards == agreement.shards else "agree"
    typer.echo(f"{directory} and {other} {same}: {agreement.records:,} records.")


@app.command()
def inspect(
    path: Annotated[str, typer.Argument(metavar="DIR|BUNDLE", help="What to look into.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show what is in a data set directory or a model bundle."""
    start_tensorflow()
    from latentloom.pipeline.inspection import describe
    from latentloom.pipeline.vocabularies import summarise

    description = describe(path)
    if as_json:
        typer.echo(json.dumps(description, indent=2))
        return
    if words := description.get("vocabulary"):
        description["vocabulary"] = summarise(words)
    print_table(str(path), [(name, plain(value)) for name, value in description.items()])
