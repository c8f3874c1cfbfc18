"""Exports for programs: data sets and bundles in the formats of other libraries."""

from __future__ import annotations

from typing import Any

from latentloom.pipeline.api.arguments import input_path, local_output, prepare
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.terminal.progress import ProgressDisplay, silent_display


def export(
    path: Location, out: Location, to: str, *, overwrite: bool = False, progress: bool = False
) -> dict[str, Any]:
    """Writes a data set or a bundle in the format of another library.

    Args:
        path: Data set directory or bundle.
        out: Output directory, local; it appears complete or not at all.
        to: Of a data set: `"parquet"`, as Hugging Face `datasets` reads it; `"webdataset"`, tar
            files; `"folder"`, a folder of PNG files a class with a table `metadata.csv`; or
            `"array_record"`, for TFDS and Grain, which read it in any order. Of a bundle:
            `"saved_model"`, for TensorFlow alone; or `"onnx"`, with the extra `onnx`.
        overwrite: Whether to replace an earlier export in `out`.
        progress: Whether to show progress on standard error.

    Returns:
        What was written, as `.export.json` says it: `format`, `digest` of the data set or bundle,
        `files` with their sizes and hashes; and for a data set `examples` of each split and
        `factors` with the names of their values.

    Raises:
        FileExistsError: If `out` holds other files, and `overwrite` is not given.
        FileNotFoundError: If `path` is missing.
        ValueError: If the format is unknown or does not fit, or a record or the bundle is damaged.

    Example:
        >>> exported = latentloom.export("data", "parquet", to="parquet")
        >>> sorted(exported["examples"]), exported["format"]
        (['test', 'train'], 'parquet')
    """
    source, target = input_path(path, "path"), str(local_output(out))
    from latentloom.pipeline.exporting.export_dataset import export_dataset
    from latentloom.pipeline.verification.describe import is_bundle

    if is_bundle(source):
        prepare()
        from latentloom.pipeline.exporting.export_bundle import export_bundle

        return export_bundle(source, target, to, overwrite=overwrite)
    display = ProgressDisplay() if progress else silent_display()
    with display.stage("export") as advance:
        return export_dataset(source, target, to, overwrite=overwrite, progress=advance)
