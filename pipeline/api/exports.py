"""Exports for programs: data sets in the formats of other libraries."""

from __future__ import annotations

from typing import Any

from latentloom.pipeline.api.arguments import input_path, local_output
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.terminal.progress import ProgressDisplay, silent_display


def export(
    path: Location, out: Location, to: str, *, overwrite: bool = False, progress: bool = False
) -> dict[str, Any]:
    """Writes a data set in the format of another library.

    Args:
        path: Data set directory.
        out: Output directory, local; it appears complete or not at all.
        to: `"parquet"`, as Hugging Face `datasets` reads it; `"webdataset"`, tar files; or
            `"folder"`, a folder of PNG files a class with a table `metadata.csv`.
        overwrite: Whether to replace an earlier export in `out`.
        progress: Whether to show progress on standard error.

    Returns:
        What was written, as `.export.json` says it: `format`, `examples` of each split, `factors`
        with the names of their values, and `files` with their sizes and hashes.

    Raises:
        FileExistsError: If `out` holds other files, and `overwrite` is not given.
        FileNotFoundError: If `path` is missing.
        ValueError: If the format is unknown or does not fit, or a record is damaged.

    Example:
        >>> exported = latentloom.export("data", "parquet", to="parquet")
        >>> sorted(exported["examples"]), exported["format"]
        (['test', 'train'], 'parquet')
    """
    source, target = input_path(path, "path"), str(local_output(out))
    from latentloom.pipeline.exporting.export_dataset import export_dataset

    display = ProgressDisplay() if progress else silent_display()
    with display.stage("export") as advance:
        done = export_dataset(source, target, to, overwrite=overwrite, progress=advance)
    return done.model_dump()
