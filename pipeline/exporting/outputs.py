"""The directory that `export` writes: complete or not at all, and replaced only if it is ours."""

from __future__ import annotations

import csv
import glob
import json
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic import BaseModel

from latentloom.pipeline.dataset.announcement import unchanged
from latentloom.pipeline.dataset.directory import METADATA_FILES
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.exporting.sinks import Files
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import Location, read_text
from latentloom.pipeline.storage.output_directories import replaced_when_complete
from latentloom.pipeline.storage.ownership import OutputKind

EXPORT_FILE = ".export.json"
"""Hidden, for readers that take every other file of a folder for one of theirs."""
CROISSANT_FILE = "_croissant.json"
"""What Parquet files hold, in Croissant; readers of a whole folder skip names that begin so."""
METADATA = "metadata.csv"
"""The table beside the images of a folder."""
FILE_NAME = "file_name"
"""Its column with the path of an image, from the folder of the table."""


class _Listed(BaseModel):
    """What `EXPORT_FILE` says of the files."""

    format: str
    files: dict[str, FileEntry]


def _listed(path: str) -> Collection[str] | None:
    """The files of a complete export; its table, if nobody has edited it, lists its images."""
    try:
        found = _Listed.model_validate_json(read_text(os.path.join(path, EXPORT_FILE)))
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
        *(
            EXPORT_FILE,
            METADATA,
            CROISSANT_FILE,
            f"*-{_NUMBER}-of-{_NUMBER}.parquet",
            f"*-[0-9]{_NUMBER}.tar",
        ),
        *(f"*.array_record-{_NUMBER}-of-{_NUMBER}", *METADATA_FILES, "*.labels.txt"),
        f"*/*/{_NUMBER}-{_NUMBER}[0-9][0-9][0-9].png",
        *("signatures.json", "encode.onnx", "decode.onnx", "judge.onnx"),
        *("saved_model.pb", "fingerprint.pb", "variables/variables.*"),
    ),
)
"""What `export` writes."""


def write_export(
    out: Location, told: Mapping[str, Any], write: Callable[[str], Files], overwrite: bool
) -> dict[str, Any]:
    """Fills the output directory, which appears complete or not at all.

    Args:
        out: The directory, local.
        told: What is exported, as plain data.
        write: Writes the files into a folder, and returns them.
        overwrite: Whether to replace an earlier export.

    Returns:
        What was exported, with its `files`.

    Raises:
        FileExistsError: If `out` holds other files, and `overwrite` was not given.
    """
    target = os.fspath(out)
    with replaced_when_complete(target, EXPORT, last=EXPORT_FILE, overwrite=overwrite) as folder:
        files = {name: entry.model_dump() for name, entry in write(folder).items()}
        described = {**told, "files": files}
        text = json.dumps(described, indent=2, ensure_ascii=False)
        write_atomic(os.path.join(folder, EXPORT_FILE), text + "\n")
    return described
