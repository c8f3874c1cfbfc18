"""The files of a bundle and their digests, without Keras."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from latentloom.model_zoo.untrusted_files import told_of_file

DESCRIPTION = "bundle.json"
SCHEMA_VERSION = 1
MODEL_WEIGHTS = "model.weights.h5"
PRIORS = "priors.npz"
REALISM = "realism.npz"
"""What the gate for realism compares with; bundles of older versions have none."""
JUDGES = ("judge", "auditor")
MOST_BYTES = 1 << 28
"""Bytes of the largest `bundle.json` that is read."""
SAVED = "a description that `latentloom train` wrote"
FIX = "Copy the bundle again or retrain."


def judge_file(name: str) -> str:
    """Returns the name of the file with the weights of a judge."""
    return f"{name}.weights.h5"


def weight_files() -> tuple[str, ...]:
    """Names of the files that every bundle has; the digest covers them and `REALISM`."""
    return (MODEL_WEIGHTS, PRIORS, *map(judge_file, JUDGES))


def parse_description(path: Path) -> tuple[dict[str, Any], str]:
    """Returns the content of a `bundle.json` of this schema or an older one, and its digest.

    Raises:
        ValueError: It is not JSON, or of a newer schema.
    """
    with told_of_file(path, SAVED, FIX):
        if (size := path.stat().st_size) > MOST_BYTES:
            raise ValueError(f"it has {size:,} bytes, more than {MOST_BYTES:,}")
        description = json.loads(path.read_bytes())
        version, found = description.get("schema_version", 0), digest_of(description)
        is_newer = version > SCHEMA_VERSION
    if is_newer:
        raise ValueError(
            f"The bundle '{path.parent}' was written by a newer latentloom. "
            f"Expected: schema_version up to {SCHEMA_VERSION}. "
            f"Received: schema_version={version}. Upgrade latentloom."
        )
    return description, found


def sha256_of(path: Path) -> str:
    """Returns the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(description: Mapping[str, Any]) -> str:
    """Returns the digest of the content of a `bundle.json`."""
    content = {name: value for name, value in description.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
