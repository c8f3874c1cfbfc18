"""The verb `export` of a data set: writes it in the format of another library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.exporting.array_records import check_array_record, write_array_record
from latentloom.pipeline.exporting.folders import write_folder
from latentloom.pipeline.exporting.outputs import write_export
from latentloom.pipeline.exporting.parquet_files import write_parquet
from latentloom.pipeline.exporting.sinks import Files
from latentloom.pipeline.exporting.tar_files import write_webdataset
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.storage.output_directories import check_apart

Write = Callable[[DatasetDir, str, Callable[[int], None]], Files]


@dataclass(frozen=True)
class Format:
    """A format to export to.

    Args:
        write: Writes the files of a data set into a folder; returns them.
        images_only: Whether it holds images alone.
        check: Raises `ValueError` if a library is missing.
    """

    write: Write
    images_only: bool = True
    check: Callable[[], None] | None = None


FORMATS = {
    "parquet": Format(write_parquet, images_only=False),
    "webdataset": Format(write_webdataset),
    "folder": Format(write_folder),
    "array_record": Format(write_array_record, images_only=False, check=check_array_record),
}


def export_dataset(
    path: Location,
    out: Location,
    to: str,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Writes a data set in another format; equal shards give equal files.

    `out` appears complete or not at all. Memory does not grow with the data.

    Args:
        path: Data set directory.
        out: Output directory, local.
        to: Name of the format, a key of `FORMATS`.
        overwrite: Whether to replace an earlier export.
        progress: Called with the number of written and of all examples.

    Returns:
        What was written: `format`, `name` and `digest` of the data set, `examples` of each split,
        names of the values of `factors`, and `files` with sizes and hashes.

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

    origin = {"name": manifest.name, "digest": manifest.digest}
    told = {"format": to, **origin, "examples": examples, "factors": manifest.factors}
    return write_export(out, told, lambda folder: chosen.write(dataset, folder, done), overwrite)


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
            f"Received: {kind.many}. Export with --to parquet or array_record."
        )
    if check := FORMATS[name].check:
        check()
    return FORMATS[name]
