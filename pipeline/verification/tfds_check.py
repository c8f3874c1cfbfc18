"""Compares the TFDS metadata of a data set directory with what its manifest implies."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from latentloom.pipeline.dataset.directory import MISSING, DatasetDir
from latentloom.pipeline.dataset.manifest import CONFIDENCE, MANIFEST_FILE
from latentloom.pipeline.dataset.provenance import provenance_features
from latentloom.pipeline.dataset.reading import parse_features
from latentloom.pipeline.dataset.tfds_metadata import metadata_files
from latentloom.pipeline.storage.files import file_size, open_binary, read_text
from latentloom.pipeline.storage.tfrecords import read_records
from latentloom.pipeline.verification.problem import Problem

_FEATURES = "features.json"
_TFDS = "tensorflow-datasets"
_MOST_BYTES = 1 << 20
"""Bytes by which a metadata file may exceed what TFDS writes, before it is read."""
_NAMED = 3  # largest number of differences to name
_ESSENTIAL = frozenset({"featuresDict", "features", "name", "shardLengths", "splits"})
"""Keys that every version of TFDS writes, beside the names of features."""
_OF_THE_VERSION = "pythonClassName"


def check_metadata(
    dataset: DatasetDir, judged: Collection[str], damaged: Collection[str]
) -> list[Problem]:
    """Makes the metadata anew from the manifest and compares it with the files.

    JSON is compared as data. If another version of TFDS wrote it, keys that only one version knows
    are not compared.

    Args:
        dataset: The data set directory.
        judged: For a generated data set, factors that the judge confirms.
        damaged: Files that are missing or changed; a missing one is not reported again.
    """
    generated = dataset.manifest.kind == "generated"
    try:
        expected = metadata_files(
            dataset.manifest, provenance_features(judged) if generated else None
        )
    except (ValueError, TypeError, LookupError, OSError) as error:
        return [Problem(MANIFEST_FILE, f"describes no data set that TFDS can read: {error}")]
    same_version = dataset.manifest.versions.get(_TFDS) == importlib.metadata.version(_TFDS)
    problems = []
    for name, content in expected.items():
        reason = _compare(os.path.join(dataset.path, name), content, same_version)
        if reason and not (reason == MISSING and name in damaged):
            problems.append(Problem(name, reason))
    return problems


def judged_factors(dataset: DatasetDir, damaged: Collection[str]) -> list[str]:
    """Returns the factors beside the label whose confidences a generated record has.

    Takes them from the metadata, or from the first readable record if that is damaged.

    Args:
        dataset: The data set directory.
        damaged: Files that are missing or changed.
    """
    names: Collection[str] = ()
    if _FEATURES not in damaged:
        with contextlib.suppress(ValueError, TypeError, LookupError, RecursionError):
            path = os.path.join(dataset.path, _FEATURES)
            names = json.loads(read_text(path))["featuresDict"]["features"]
    names = names or _first_features(dataset)
    return [name for name in dataset.manifest.factors if f"{CONFIDENCE}_{name}" in names]


def _first_features(dataset: DatasetDir) -> Collection[str]:
    """Returns the names of the features of the first readable record."""
    for shard in dataset.manifest.shards:
        path = os.path.join(dataset.path, shard.file)
        for record in read_records(path) if file_size(path) is not None else ():
            if not isinstance(features := parse_features(record), str):
                return list(features)
    return ()


def _compare(path: str, expected: bytes, same_version: bool) -> str:
    """Returns how a file differs from what is expected, or an empty text."""
    size = file_size(path)
    if size is None:
        return MISSING
    if size > len(expected) + _MOST_BYTES:
        return f"has {size} bytes, about {len(expected)} are expected"
    with open_binary(path) as file:
        found = file.read()
    if not path.endswith(".json"):
        return "" if found == expected else "holds other names than the manifest"
    try:
        pair = json.loads(found), json.loads(expected)
        places = list(differences(*pair, same_version=same_version))
    except (ValueError, RecursionError) as error:
        return f"cannot be read: {error}"
    if not places:
        return ""
    more = ", ..." if len(places) > _NAMED else ""
    return f"differs from the manifest in {', '.join(places[:_NAMED])}{more}"


def differences(found: Any, expected: Any, *, same_version: bool, place: str = "") -> Iterator[str]:
    """Yields the places where two JSON documents differ, such as `shard lengths of splits/0`."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = _compared_keys(found, expected, place, same_version)
        pairs = [(key, found.get(key), expected.get(key)) for key in keys]
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = [(str(row), *pair) for row, pair in enumerate(zip(found, expected, strict=True))]
    else:
        if found != expected or type(found) is not type(expected):
            yield _in_words(place)
        return
    for key, ours, theirs in pairs:
        yield from differences(ours, theirs, same_version=same_version, place=f"{place}/{key}")


def _compared_keys(
    found: Mapping[str, Any], expected: Mapping[str, Any], place: str, same_version: bool
) -> list[str]:
    """Returns the keys of two JSON objects to compare."""
    if same_version:
        return sorted({*found, *expected})
    named = place.endswith("/features")
    keys = [key for key in expected if named or key in found or key in _ESSENTIAL]
    return sorted({*keys, *(found if named else ())} - {_OF_THE_VERSION})


def _in_words(place: str) -> str:
    """Turns `/splits/0/shardLengths/1` into `shard lengths of splits/0`."""
    *parents, last = re.sub(r"(/\d+)+$", "", place).strip("/").split("/")
    words = re.sub("[A-Z]", lambda capital: f" {capital[0].lower()}", last) or "everything"
    return f"{words} of {'/'.join(parents)}" if parents else words
