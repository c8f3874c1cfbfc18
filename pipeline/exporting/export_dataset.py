"""The verb `export` of a data set: writes it in the format of another library."""

from __future__ import annotations

import csv
import glob
import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from latentloom.pipeline.dataset.announcement import unchanged
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.entries import FileEntry, PlainName, Sha256
from latentloom.pipeline.exporting.folders import FILE_NAME, METADATA, write_folder
from latentloom.pipeline.exporting.parquet import write_parquet
from latentloom.pipeline.exporting.sinks import Files
from latentloom.pipeline.exporting.webdataset import write_webdataset
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import Location, read_text
from latentloom.pipeline.storage.output_directories import check_apart, replaced_when_complete
from latentloom.pipeline.storage.ownership import OutputKind

EXPORT_FILE = ".export.json"
"""Hidden, for readers that take every other file of a folder for one of theirs."""
Write = Callable[[DatasetDir, str, Callable[[int], None]], Files]


@dataclass(frozen=True)
class Format:
    """A format to export to.

    Args:
        write: Writes the files of a data set into a folder; returns them.
        images_only: Whether it holds images alone.
    """

    write: Write
    images_only: bool = True


FORMATS = {
    "parquet": Format(write_parquet, images_only=False),
    "webdataset": Format(write_webdataset),
    "folder": Format(write_folder),
}


class ExportDescription(BaseModel):
    """What an export holds and where it comes from, as `EXPORT_FILE` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    name: str
    digest: Sha256
    """SHA-256 over the shards of the data set."""
    examples: dict[str, int]
    """Number of examples of each split."""
    factors: dict[str, list[str]]
    """Names of the values of each factor, in the order of their codes; `label` first."""
    files: dict[PlainName, FileEntry]


def _listed(path: str) -> Collection[str] | None:
    """The files of a complete export; its table, if nobody has edited it, lists its images."""
    try:
        found = ExportDescription.model_validate_json(read_text(os.path.join(path, EXPORT_FILE)))
    except (OSError, ValueError):
        return None
    names = {EXPORT_FILE, *found.files}
    tables = {name: entry for name, entry in found.files.items() if name == METADATA}
    for name in unchanged(path, tables):
        with open(os.path.join(path, name), encoding="utf-8", newline="") as file:
            names |= {row[FILE_NAME] for row in csv.DictReader(file)}
    return {glob.escape(name) for name in names}


_NUMBER = "[0-9]" * 5
EXPORT = OutputKind(
    name="export",
    listed=_listed,
    patterns=(
        *(EXPORT_FILE, METADATA, f"*-{_NUMBER}-of-{_NUMBER}.parquet", f"*-[0-9]{_NUMBER}.tar"),
        f"*/*/{_NUMBER}-{_NUMBER}[0-9][0-9][0-9].png",
    ),
)
"""What `export` writes."""


def export_dataset(
    path: Location,
    out: Location,
    to: str,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ExportDescription:
    """Writes a data set in another format; equal shards give equal files.

    `out` appears complete or not at all. Memory does not grow with the data.

    Args:
        path: Data set directory.
        out: Output directory, local.
        to: Name of the format, a key of `FORMATS`.
        overwrite: Whether to replace an earlier export.
        progress: Called with the number of written and of all examples.

    Raises:
        FileExistsError: If `out` holds other files, and `overwrite` was not given.
        FileNotFoundError: If the data set or one of its files is missing.
        ValueError: If the format is unknown or does not fit, a record is damaged, or `out` holds
            the data set.
    """
    dataset = DatasetDir.open(path)
    manifest, chosen = dataset.manifest, _format(to, dataset)
    check_apart(out, {"DIR": path})
    examples = {split: manifest.num_examples(split) for split in manifest.splits}
    written, total = 0, sum(examples.values())

    def done(more: int) -> None:
        nonlocal written
        written += more
        if progress:
            progress(written, total)

    target = os.fspath(out)
    with replaced_when_complete(target, EXPORT, last=EXPORT_FILE, overwrite=overwrite) as folder:
        description = ExportDescription(
            format=to,
            name=manifest.name,
            digest=manifest.digest,
            examples=examples,
            factors=manifest.factors,
            files=chosen.write(dataset, folder, done),
        )
        text = json.dumps(description.model_dump(), indent=2, ensure_ascii=False)
        write_atomic(os.path.join(folder, EXPORT_FILE), text + "\n")
    return description


def _format(name: str, dataset: DatasetDir) -> Format:
    """Returns a format that can hold a data set."""
    if name not in FORMATS:
        raise ValueError(
            f"A data set cannot be exported so. Expected: one of {', '.join(FORMATS)}. Received: "
            f"--to {name}. Choose one of these."
        )
    kind = dataset.observation_kind
    if FORMATS[name].images_only and kind.feature != "image":
        raise ValueError(
            f"The data set '{dataset.path}' holds {kind.many}. Expected: images for --to {name}. "
            f"Received: {kind.many}. Export with --to parquet."
        )
    return FORMATS[name]
