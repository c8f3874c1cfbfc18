"""The verb `export` of a bundle: writes it for programs without latentloom."""

from __future__ import annotations

from typing import Any

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.exporting.onnx_models import check_converter, write_onnx
from latentloom.pipeline.exporting.outputs import write_export
from latentloom.pipeline.exporting.saved_model import check_tensorflow, write_saved_model
from latentloom.pipeline.storage.files import Location, local_folder
from latentloom.pipeline.storage.output_directories import check_apart

FORMATS = {"saved_model": write_saved_model, "onnx": write_onnx}


def export_bundle(
    path: Location, out: Location, to: str, *, overwrite: bool = False
) -> dict[str, Any]:
    """Writes encoder, decoder and judge of a bundle in another format.

    Args:
        path: Bundle directory.
        out: Output directory, local; it appears complete or not at all.
        to: Name of the format, a key of `FORMATS`.
        overwrite: Whether to replace an earlier export.

    Returns:
        What was written: `format`, `model` and `digest` of the bundle, and `files` with sizes and
        hashes.

    Raises:
        FileExistsError: If `out` holds other files, and `overwrite` was not given.
        FileNotFoundError: If the bundle or one of its files is missing.
        ValueError: If the format is unknown, its converter is missing or lacks an operator, the
            bundle is damaged, or `out` holds the bundle.
    """
    if to not in FORMATS:
        raise ValueError(
            f"The bundle '{path}' cannot be exported so. Expected: one of {', '.join(FORMATS)}. "
            f"Received: --to {to}. Name a data set for the other formats."
        )
    check_apart(out, {"BUNDLE": path})
    check_tensorflow()
    if to == "onnx":
        check_converter()
    with local_folder(path) as folder:
        bundle = load_bundle(folder)
    told = {"format": to, "model": bundle.model_name, "digest": bundle.digest}
    return write_export(out, told, lambda folder: FORMATS[to](bundle, folder), overwrite)
