"""Turns any source of labelled observations into a data set directory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import (
    MANIFEST_FILE,
    Manifest,
    ShardEntry,
    library_versions,
)
from latentloom.pipeline.dataset.own_files import DATA_SET
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.dataset.writing import write_manifest
from latentloom.pipeline.importing.image_form import Size
from latentloom.pipeline.importing.levels import Range
from latentloom.pipeline.importing.open_source import source_paths
from latentloom.pipeline.importing.opened_import import OpenedImport, open_import
from latentloom.pipeline.importing.outcome import Progress
from latentloom.pipeline.importing.source import vocabulary_of
from latentloom.pipeline.importing.write_split import write_split
from latentloom.pipeline.storage.files import Location, as_location
from latentloom.pipeline.storage.output_directories import check_apart, replaced_when_complete
from latentloom.pipeline.terminal.stops import kept_if_stopped

STOPPED = "Nothing of this import is kept. Run the same command again."


def import_dataset(
    source: str,
    out: str | os.PathLike[str],
    *,
    name: str | None = None,
    label: str | None = None,
    factors: Sequence[str] | None = None,
    image_size: Size | None = None,
    max_examples: int | None = None,
    inks: int | None = None,
    channels: int | None = None,
    overlays: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
    split: str | None = None,
    subfolders: bool = False,
    image: str | None = None,
    first: bool = False,
    measure: Sequence[str] | None = None,
    fit: str | None = None,
    ground: str | None = None,
    value_range: Range | None = None,
    channels_first: bool = False,
    root: str | None = None,
    bins: Sequence[str] = (),
    shards: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DatasetDir:
    """Imports labelled observations; `out` appears only when it is complete.

    Args:
        source: Source to read, such as `builtin:fonts` or `folder:photos`; see
            `pipeline.importing.specs.SPECS`.
        out: Directory to make.
        name: Name of the data set; defaults to the name that the source suggests.
        label: Field that becomes the label.
        factors: Factors to keep beside the label; all by default.
        image_size: Side in pixels that images get, or height and width.
        max_examples: Size of the sample to take; see `open_source`.
        inks: Number of inks to colour grey images with; the ink becomes the factor `ink`.
        channels: 1 to make all images grey, 3 to make them RGB; see `open_source`.
        overlays: Marks to lay over images, each a factor; see `open_source`.
        domains: Renderings of grey images, the values of the factor `domain`; see `open_source`.
        split: What splits are of a name that does not tell it, or the column of a table with its
            splits; see `open_source`.
        subfolders: Whether images below the folder of a class are of the class.
        image: Field of the image in TFRecord files, or column of a table with its images.
        first: Whether the first of several labels is the label.
        measure: Attributes to measure from the pixels of the stored grey images: some of
            `model_zoo.metrics.strokes.ATTRIBUTES`. Each becomes a factor with the values `low`,
            `middle` and `high`, thirds of the training images; the manifest stores the limits.
        fit: How images of another aspect get this size; see `open_source`.
        ground: Colour behind transparent images and of borders; see `open_source`.
        value_range: The values that become 0 and 255; see `open_source`.
        channels_first: Whether arrays have the axis of channels first.
        root: Folder that the paths of a table begin at.
        bins: Bins of factors that are numbers; see `open_source`.
        shards: Files per split; by default one for each 8,192 examples. Shards may be empty.
        overwrite: Whether to replace an existing data set directory.
        progress: Called as `progress(done, total)` with numbers of examples.

    Raises:
        ValueError: If an option or the data is invalid, `out` holds the source or lies in it, or
            more than 1 % of the examples are unusable.
        FileNotFoundError: If the source is missing.
        FileExistsError: If `out` exists and is not replaced.
        OSError: If writing to `out` fails.
    """
    out = as_location(out)
    check_source_apart(source, out)
    options: dict[str, Any] = {"label": label, "factors": factors, "image_size": image_size}
    options |= {"max_examples": max_examples, "inks": inks, "channels": channels}
    options |= {"overlays": overlays, "domains": domains}
    options |= {"fit": fit, "ground": ground, "value_range": value_range}
    options |= {"split": split, "image": image, "root": root, "bins": bins}
    options |= {"subfolders": subfolders, "first": first, "channels_first": channels_first}
    opened = open_import(source, name=name, measure=measure, progress=progress, **options)
    _check_shards(shards)
    with (
        kept_if_stopped(STOPPED),
        replaced_when_complete(out, DATA_SET, last=MANIFEST_FILE, overwrite=overwrite) as folder,
    ):
        name, read, outcome = opened.name, opened.source, opened.outcome
        splits = {s: write_split(folder, name, read, s, shards, outcome) for s in read.splits}
        manifest = _manifest(opened, splits)
        write_manifest(folder, manifest, metadata_files(manifest))
    return DatasetDir.open(out)


def check_source_apart(source: str, out: Location) -> None:
    """Rejects an output that holds a file of the source or lies in its folder."""
    for path in source_paths(source):
        check_apart(out, {"SOURCE": path})


def _check_shards(shards: int | None) -> None:
    if shards is not None and shards < 1:
        raise ValueError(
            "The number of shards is out of range. Expected: shards of at least 1. "
            f"Received: shards={shards}. Raise it."
        )


def _manifest(opened: OpenedImport, splits: dict[str, list[ShardEntry]]) -> Manifest:
    """Makes the manifest of complete splits; rejects a sample that lacks a class."""
    source, origin = opened.source, opened.origin
    opened.outcome.check_complete()
    manifest = Manifest(
        kind="imported",
        name=opened.name,
        observation=source.observation,
        observation_shape=source.observation_shape,
        factors=source.factors,
        vocabulary=vocabulary_of(source),
        splits=splits,
        source=origin,
        versions=library_versions(),
        totals=opened.outcome.totals(),
        details=opened.all_details(),
    )
    empty = [label for label, count in manifest.label_counts("train").items() if not count]
    if empty and origin["max_examples"]:
        raise ValueError(
            f"The sample has no example of class '{empty[0]}'. Expected: some of each class. "
            f"Received: max_examples={origin['max_examples']}. Raise --max-examples."
        )
    return manifest
