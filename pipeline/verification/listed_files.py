"""Compares the files of a data set directory with those that its manifest lists."""

from __future__ import annotations

import os

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.storage.files import list_names, sha256_file
from latentloom.pipeline.verification.problem import OTHER_HASH, Problem


def check_listed(dataset: DatasetDir) -> list[Problem]:
    """Finds listed files that are missing, have another size or, beside shards, another hash."""
    problems = [Problem(*found) for found in dataset.missing_or_resized(every_file=True)]
    unlike = {problem.file for problem in problems}
    for name, entry in dataset.manifest.files.items():
        if name not in unlike and sha256_file(os.path.join(dataset.path, name)) != entry.sha256:
            problems.append(Problem(name, OTHER_HASH))
    return problems


def check_strangers(dataset: DatasetDir) -> list[Problem]:
    """Finds files and folders that the manifest does not list.

    Hidden names belong to a run (`.job`, `.lock`, temporary files) or to the operating system.
    A manifest of an older version lists only shards, so only shards can be strangers to it.
    """
    files = dataset.manifest.files
    listed = {MANIFEST_FILE, *files, *(shard.file for shard in dataset.manifest.shards)}
    found = [name for name in list_names(dataset.path) if not name.startswith(".")]
    strangers = [name for name in found if name not in listed and (files or ".tfrecord" in name)]
    return [Problem(name, "is not in the manifest") for name in strangers]
