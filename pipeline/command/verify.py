"""The verb `verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.command.options import exit_on_problems, input_path
from latentloom.pipeline.terminal.exit_codes import FAILED_RUN
from latentloom.pipeline.terminal.tables import print_table


def verify(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="DIR|BUNDLE", help="Data set directory or model bundle.", callback=input_path
        ),
    ],
    other: Annotated[
        str | None,
        typer.Option(
            "--compare", metavar="OTHER", help="Data set to compare with.", callback=input_path
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="SOURCE",
            callback=input_path,
            help="Data set that DIR was generated from; its anchors, donors and labels must fit.",
        ),
    ] = None,
) -> None:
    """Check that a data set or a bundle is whole; exit 1 and name damaged files.

    Of a data set: every file is in the manifest with its size and hash; records, ids, provenance,
    TFDS metadata, totals, coverage, card and configuration fit it. Of a bundle: digests, weights,
    priors and figures. Of both: no other file is there.

    With --compare, also compare the records with the data set OTHER, for example the same run on
    another machine; exit 1 and name each difference that another kind of CPU does not explain.
    """
    from latentloom.pipeline.api.datasets import verify as verify_directory
    from latentloom.pipeline.verification.agreement import check_comparable

    if other is not None:
        check_comparable(directory, other)
    verified = verify_directory(directory, data=data)
    exit_on_problems(verified.problems)
    typer.echo(f"{directory} is whole: {verified.contents}.")
    if other is not None:
        _compare(directory, other)


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
