"""The verb `verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.terminal.exit_codes import FAILED_RUN
from latentloom.pipeline.terminal.quiet import start_tensorflow
from latentloom.pipeline.terminal.tables import print_table


def verify(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Data set directory.")],
    other: Annotated[
        str | None,
        typer.Option("--compare", metavar="OTHER", help="Data set to compare with."),
    ] = None,
) -> None:
    """Check every file of a data set against its manifest; exit 1 and name damaged files.

    With --compare, also compare the records with the data set OTHER, for example the same run on
    another machine; exit 1 and name each difference that another kind of CPU does not explain.
    """
    start_tensorflow()
    from latentloom.pipeline.verification.agreement import check_comparable
    from latentloom.pipeline.verification.verify import verify as verify_dataset

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
