"""The verb `look`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.command.options import Overwrite, input_path, output_path


def look(
    path: Annotated[
        str, typer.Argument(metavar="DIR", help="Data set directory.", callback=input_path)
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            callback=input_path,
            help="The data set that DIR was generated from: shows variants beside their anchors.",
        ),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="Name of the split.")] = "train",
    out: Annotated[
        str | None,
        typer.Option(
            "--out", callback=output_path, help="PNG file to write. [default: DIR.png, beside DIR]"
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other examples.")] = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw a contact sheet: some examples of every class and factor, or variants of anchors."""
    from latentloom.pipeline.evaluation.contact_sheet import draw_contact_sheet
    from latentloom.pipeline.report.sheet_file import check_sheet, write_sheet
    from latentloom.pipeline.storage.output_directories import check_apart

    file = out or f"{path.rstrip('/')}.png"
    check_apart(file, {"DIR": path} | ({"--data": data} if data else {}))
    check_sheet(file, overwrite=overwrite)
    picture = draw_contact_sheet(path, split, data=data, seed=seed)
    write_sheet(file, picture.png)
    typer.echo(f"{picture.caption}\n{file}")
