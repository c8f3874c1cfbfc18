"""The verb `import`."""

from __future__ import annotations

from typing import Any

import typer

from latentloom.pipeline.command.import_options import (
    Bins,
    Channels,
    ChannelsFirst,
    Domains,
    DryRun,
    Factors,
    First,
    Fit,
    Ground,
    Image,
    ImageSize,
    Inks,
    Label,
    MaxExamples,
    Measure,
    Name,
    Out,
    Overlays,
    Root,
    Shards,
    Source,
    Split,
    Subfolders,
    ValueRange,
)
from latentloom.pipeline.command.options import Overwrite
from latentloom.pipeline.dataset.details import ImportedDetails

_MOST_LINES = 20
"""Most reasons for what is left out that are printed; the manifest has all of them."""


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
    dry_run: DryRun = False,
) -> None:
    """Turn labelled observations into a data set: TFRecord, TFDS metadata, manifest."""
    options = {
        "name": name,
        "label": label,
        "factors": _names(factors),
        "image_size": image_size,
        "max_examples": max_examples,
        "inks": inks,
        "channels": channels,
        "overlays": _names(overlays),
        "domains": _names(domains),
        "split": split,
        "subfolders": subfolders,
        "image": image,
        "first": first,
        "measure": _names(measure),
        "fit": fit,
        "ground": ground,
        "value_range": value_range,
        "channels_first": channels_first,
        "root": root,
        "bins": bins or (),
    }
    if dry_run:
        _preview(source, out, options)
    else:
        _import(source, out, options, shards=shards, overwrite=overwrite)


def _preview(source: str, out: str, options: dict[str, Any]) -> None:
    from latentloom.pipeline.evaluation.import_page import summary_of, write_import_page
    from latentloom.pipeline.importing.import_dataset import check_source_apart
    from latentloom.pipeline.importing.preview import preview_import
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    check_source_apart(source, out)
    with ProgressDisplay().stage("import") as advance:
        preview = preview_import(source, progress=advance, **options)
    page = write_import_page(preview, out)
    for line in [*_left_out(preview.details, page), *summary_of(preview)]:
        typer.echo(line)
    typer.echo(f"Nothing was imported. Classes and pictures in {page}.")


def _import(
    source: str, out: str, options: dict[str, Any], *, shards: int | None, overwrite: bool
) -> None:
    from latentloom.pipeline.importing.changes import told_changes
    from latentloom.pipeline.importing.import_dataset import import_dataset
    from latentloom.pipeline.terminal.progress import ProgressDisplay

    with ProgressDisplay().stage("import") as advance:
        dataset = import_dataset(
            source, out, shards=shards, overwrite=overwrite, progress=advance, **options
        )
    counts = {split: dataset.manifest.num_examples(split) for split in dataset.splits}
    details = ImportedDetails.read(dataset.manifest.details)
    for line in [
        *_left_out(details, "manifest.json"),
        *told_changes(details.changes, dataset.manifest.totals["written"]),
    ]:
        typer.echo(line)
    typer.echo(f"Imported {counts} to {out}. Next: latentloom train CONFIG --data {out} --out ...")


def _left_out(details: ImportedDetails, where: str) -> list[str]:
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
    return [*lines[:_MOST_LINES], *([f"And {more} more: see {where}."] if more > 0 else [])]


def _names(text: str | None) -> list[str] | None:
    """Splits names at commas."""
    return None if text is None else text.split(",")
