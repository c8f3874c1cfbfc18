"""Compares the files of a bundle with their digests, where some may have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentloom.model_zoo.bundle_files import (
    DESCRIPTION,
    FIX,
    REALISM,
    SAVED,
    parse_description,
    sha256_of,
    weight_files,
)
from latentloom.model_zoo.untrusted_files import told_of_file


def read_unchecked(folder: Path) -> dict[str, Any]:
    """Reads `bundle.json` of a bundle that may have changed; opens no other file.

    Raises:
        ValueError: It is not JSON; or it matches its digest, or has none, but is no description.
    """
    from latentloom.model_zoo.description import check_description  # imports Keras, for the models

    path = Path(folder) / DESCRIPTION
    description, digest = parse_description(path)
    if description.get("digest", digest) == digest:
        with told_of_file(path, SAVED, FIX):
            check_description(description)
    return description


def find_damage(folder: Path) -> dict[str, str]:
    """Compares every file of a bundle with its digest; loads nothing.

    Returns:
        The reason for each file that is missing or not what was saved, by name.

    Raises:
        ValueError: `bundle.json` is not JSON.
    """
    folder = Path(folder)
    description, digest = parse_description(folder / DESCRIPTION)
    found = {}
    if description.get("digest") != digest:
        found[DESCRIPTION] = "does not match its digest"
    files = description.get("files")
    is_listed = isinstance(files, dict) and REALISM in files
    optional = (REALISM,) if is_listed or (folder / REALISM).exists() else ()
    for name in (*weight_files(), *optional):
        if not (folder / name).is_file():
            found[name] = "is missing"
        elif not isinstance(files, dict) or files.get(name) != sha256_of(folder / name):
            found[name] = f"does not match the digest in {DESCRIPTION}"
    return found
