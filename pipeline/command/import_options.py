"""The options of the verb `import`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.command.options import output_path, source_path
from latentloom.pipeline.importing.specs import SPECS

_SIDES = range(4, 1025)


def image_size(text: str | None) -> int | tuple[int, int] | None:
    """Reads a side, or height and width, in pixels."""
    if text is None:
        return None
    sides = [int(side) if side.isdecimal() else 0 for side in str(text).split("x")]
    if len(sides) > 2 or any(side not in _SIDES for side in sides):
        raise typer.BadParameter(
            f"{text!r} is no size: a side from 4 to 1024 such as 64, or height and width such as "
            "64x32."
        )
    return (sides[0], sides[1]) if len(set(sides)) == 2 else sides[0]


def value_range(text: str | None) -> tuple[float, float] | str | None:
    """Reads two numbers, or a word."""
    try:
        low, high = map(float, (text or "").split(","))
    except ValueError:
        return text
    return low, high


_SPECS = [f"`{spec}`" for spec in SPECS]

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help=" or ".join((", ".join(_SPECS[:-1]), _SPECS[-1])) + ".",
        callback=source_path,
    ),
]
Out = Annotated[
    str, typer.Argument(metavar="OUT", help="Directory to write.", callback=output_path)
]
Name = Annotated[str | None, typer.Option(help="Name of the data set.")]
Label = Annotated[str | None, typer.Option(help="Field to use as the class.")]
Factors = Annotated[str | None, typer.Option(help="Factors to keep, comma-separated.")]
ImageSize = Annotated[
    str | None,
    typer.Option(
        metavar="SIDE|HEIGHTxWIDTH",
        help="Size that images get, in pixels: `64`, or `64x32` for 64 high and 32 wide.",
        callback=image_size,
    ),
]
Fit = Annotated[
    str | None,
    typer.Option(
        help="How images of another aspect get this size: `pad` (default) adds a border, `crop` "
        "cuts, `stretch` changes their shapes."
    ),
]
Ground = Annotated[
    str | None,
    typer.Option(
        metavar="COLOUR",
        help="Colour behind transparent images (default: white) and of the border of padded ones "
        "(default: that of their edge): `black`, `#ff8000`.",
    ),
]
ValueRange = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="LOW,HIGH|file",
        help="Values that become 0 and 255, for images of 16 bits, of floats or of class numbers; "
        "`file` takes the smallest and the largest value of each file.",
        callback=value_range,
    ),
]
ChannelsFirst = Annotated[
    bool, typer.Option("--channels-first", help="Images of an npz are (n, channels, h, w).")
]
MaxExamples = Annotated[
    int | None, typer.Option(min=1, help="Number of examples to take, a fair sample.")
]
Inks = Annotated[
    int | None,
    typer.Option(min=2, help="Number of inks to colour grey images with; adds the factor `ink`."),
]
Channels = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=3,
        help="1 to make all images grey, 3 to make them RGB; by default grey only if all are.",
    ),
]
Overlays = Annotated[
    str | None,
    typer.Option(
        help="Marks to lay over images, each on half of them and a factor: `frame`, `bar`, "
        "comma-separated."
    ),
]
Domains = Annotated[
    str | None,
    typer.Option(
        help="Renderings of grey images, each of which is in one; they become the factor `domain`: "
        "`plain`, `colour`, `outline`, two or more, comma-separated. Excludes --overlays."
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=SPLIT|COLUMN|FILE",
        help="Splits whose names do not tell them: `train`, `validation`, `test` or `none` for a "
        "folder, file or value, comma-separated; or one of these for all others. Of a table: its "
        "column of splits, or a file with the split of each image; NAME=SPLIT may follow.",
    ),
]
Subfolders = Annotated[
    bool, typer.Option("--subfolders", help="Read images in folders below that of a class, too.")
]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="FIELD", help="Field of the image in TFRecord files, or column of a table."
    ),
]
First = Annotated[bool, typer.Option("--first", help="Take the first of several labels.")]
Measure = Annotated[
    str | None,
    typer.Option(
        help="Factors to measure from grey images, each of one bright object on a dark ground: "
        "`thickness`, `slant`, `width`, comma-separated. Values: low, middle and high third."
    ),
]
Root = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", help="Folder that the paths of a table begin at; by default the table's."
    ),
]
Bins = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FACTOR=3|FACTOR=0,10,20",
        help="Bins of a factor of numbers, of like size or between limits; may be repeated.",
    ),
]
Shards = Annotated[
    int | None,
    typer.Option(min=1, max=10_000, help="Files per split; by default one per 8,192 examples."),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Read everything and write only a page beside OUT, OUT.import.html: what would be "
        "imported, changed and left out, with examples.",
    ),
]
