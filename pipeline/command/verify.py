"""The verb `verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.command.options import exit_on_problems
from latentloom.pipeline.terminal.exit_codes import FAILED_RUN
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_table


def verify(
    directory: Annotated[
        str, typer.Argument(metavar="DIR|BUNDLE", help="Data set directory or model bundle.")
    ],
    other: Annotated[
        str | None,
        typer.Option("--compare", metavar="OTHER", help="Data set to compare with."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="SOURCE",
            help="Data set that DIR was generated from; it must have all anchors and donors.",
        ),
    ] = None,
) -> None:
    """Check that a data set or a bundle is whole; exit 1 and name damaged files.

    Of a data set: every file is in the manifest with its size and hash; records, ids, provenance,
    TFDS metadata, totals, coverage and configuration fit it. Of a bundle: digest, weights, priors
    and figures.

    With --compare, also compare the records with the data set OTHER, for example the same run on
    another machine; exit 1 and name each difference that another kind of CPU does not explain.
    """
    from latentloom.pipeline.verification.agreement import check_comparable
    from latentloom.pipeline.verification.describe import is_bundle
    from latentloom.pipeline.verification.verify import verify as verify_dataset

    if other is not None:
        check_comparable(directory, other)
    if is_bundle(directory):
        _verify_bundle(directory, data)
        return
    found = verify_dataset(directory, data)
    exit_on_problems(found.problems)
    typer.echo(f"{directory} is whole: {found.records:,} records in {found.shards} shards.")
    if other is not None:
        _compare(directory, other)


def _verify_bundle(bundle: str, data: str | None) -> None:
    """Checks a bundle, and says that it is whole."""
    start_tensorflow()
    from latentloom.pipeline.verification.verify_bundle import verify_bundle

    if data is not None:
        raise ValueError(
            f"'{bundle}' is a model bundle, which has no anchors. Expected: a generated data set "
            f"with --data. Received: --data {data}. Leave it out."
        )
    found = verify_bundle(bundle)
    exit_on_problems(found.problems)
    typer.echo(f"{bundle} is whole: a bundle of the model {found.model}.")


def _compare(directory: str, other: str) -> None:
    """Prints how two data sets agree; exits 1 if they differ by more than the tolerances."""
    from latentloom.pipeline.verification.agreement_table import agreement_rows
    from latentloom.pipeline.verification.compare import compare

    agreement = compare(directory, other)
    print_table("Agreement", agreement_rows(agreement), ("", "found", "promised"))
    for breach in agreement.breaches:
        typer.echo(breach, err=True)
    if not agreement.holds:
        raise typer.Exit(FAILED_RUN)
    same = "are the same bytes" if agreement.equal_shards == agreement.shards else "agree"
    typer.echo(f"{directory} and {other} {same}: {agreement.records:,} records.")
