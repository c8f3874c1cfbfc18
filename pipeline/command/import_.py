"""The verb `import`."""

from __future__ import annotations

from typing import Annotated

import typer

from latentloom.pipeline.command.options import Overwrite, output_path, source_path
from latentloom.pipeline.dataset.details import ImportedDetails
from latentloom.pipeline.importing.specs import SPECS

_MOST_LINES = 20
"""Most reasons for what is left out that are printed; the manifest has all of them."""
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


def import_(
    source: Source,
    out: Out,
    name: Name = None,
    label: Label = None,
    factors: Factors = None,
    image_size: ImageSize = None,
    max_examples: MaxExamples = None,
    inks: Inks = None,
    channels: Channels = None,
    overlays: Overlays = None,
    domains: Domains = None,
    split: Split = None,
    subfolders: Subfolders = False,
    image: Image = None,
    first: First = False,
    measure: Measure = None,
    fit: Fit = None,
    ground: Ground = None,
    value_range: ValueRange = None,
    channels_first: ChannelsFirst = False,
    root: Root = None,
    bins: Bins = None,
    shards: Shards = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn labelled observations into a data set: TFRecord, TFDS metadata, manifest."""
    from latentloom.pipeline.importing.changes import told_changes
    from latentloom.pipeline.importing.import_dataset import import_dataset
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    with ProgressDisplay().stage("import") as advance:
        dataset = import_dataset(
            source,
            out,
            name=name,
            label=label,
            factors=_names(factors),
            image_size=image_size,  # type: ignore[arg-type]  # the callback has read it
            max_examples=max_examples,
            inks=inks,
            channels=channels,
            overlays=_names(overlays),
            domains=_names(domains),
            split=split,
            subfolders=subfolders,
            image=image,
            first=first,
            measure=_names(measure),
            fit=fit,
            ground=ground,
            value_range=value_range,
            channels_first=channels_first,
            root=root,
            bins=bins or (),
            shards=shards,
            overwrite=overwrite,
            progress=advance,
        )
    counts = {split: dataset.manifest.num_examples(split) for split in dataset.splits}
    details = ImportedDetails.read(dataset.manifest.details)
    for line in [
        *_left_out(details),
        *told_changes(details.changes, dataset.manifest.totals["written"]),
    ]:
        typer.echo(line)
    typer.echo(f"Imported {counts} to {out}. Next: latentloom train CONFIG --data {out} --out ...")


def _left_out(details: ImportedDetails) -> list[str]:
    """Says what was left out and why, by class where it is known, at most `_MOST_LINES` lines."""
    lines = [f"Left out {count}: {reason}." for reason, count in details.left_out.items()]
    for label, dead in details.dead_by_class.items():
        of_class = f" of class '{label}'" if label else ""
        first = f"First: '{dead['first']}', {dead['reason']}."
        lines.append(f"Left out {dead['count']}{of_class}: unusable. {first}")
    for reason, count in details.ignored.items():
        first = details.first_ignored.get(reason)
        lines.append(f"Left out {count}: {reason}." + (f" First: '{first}'." if first else ""))
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], *([f"And {more} more: see manifest.json."] if more > 0 else [])]


def _names(text: str | None) -> list[str] | None:
    """Splits names at commas."""
    return None if text is None else text.split(",")
