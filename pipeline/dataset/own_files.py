"""The files of a data set directory, for those who may replace it: known by what is in them."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Collection, Iterator

from latentloom.pipeline.dataset.announcement import Announcement, unchanged
from latentloom.pipeline.dataset.entries import FileEntry
from latentloom.pipeline.dataset.label_counts_file import LABEL_COUNTS_FILE
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import exists
from latentloom.pipeline.storage.ownership import OutputKind, matches

ANNOUNCED = ".files.json"
"""Lists the files beside the shards while they are written, before the manifest does."""
_SHARD = "*.tfrecord-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]"
_TFDS = ("dataset_info.json", "features.json")
_LABELS = "*.labels.txt"
_REPORT = ("report.html", "report.json")
_OF_GENERATED = ("README.md", "config.yaml", "coverage.json", "dead_letters.jsonl", *_REPORT)
_OF_JOB = (".job/job.json", ".job/donors.npz", f".job/{_SHARD}.json")


def listed_beside(folder: str | os.PathLike[str]) -> dict[str, FileEntry]:
    """Returns the files beside the shards that runs wrote into a directory.

    The manifest lists them; of a run that was killed before its manifest, `ANNOUNCED` does.
    """
    path, listed = os.path.join(folder, MANIFEST_FILE), {}
    with contextlib.suppress(OSError, ValueError):  # a damaged manifest is replaced
        listed = Manifest.read(path).files if exists(path) else {}
    return listed | Announcement.read(os.path.join(folder, ANNOUNCED)).files


def _listed(path: str) -> Collection[str] | None:
    """Patterns of the files of a complete data set; older manifests do not list those beside."""
    try:
        manifest = Manifest.read(os.path.join(path, MANIFEST_FILE))
    except (OSError, ValueError):
        return None
    files = {MANIFEST_FILE, *_own_shards(manifest), *_own_beside(path)}
    if not manifest.files:
        files |= {*_TFDS, *(_LABELS.replace("*", factor) for factor in manifest.factors)}
    return files | {*(_OF_JOB if manifest.kind == "generated" else ())}


def _own_shards(manifest: Manifest) -> Iterator[str]:
    """Yields the shards of a manifest that latentloom can have written; one may be damaged."""
    for shard in manifest.shards:
        if matches(shard.file, [_SHARD]):
            yield glob.escape(shard.file)


def _own_beside(path: str) -> Iterator[str]:
    """Yields the files beside the shards that latentloom has written and nobody has edited."""
    for name in unchanged(path, listed_beside(path)):
        if matches(name, (*_TFDS, _LABELS, LABEL_COUNTS_FILE, *_OF_GENERATED)):
            yield glob.escape(name)


DATA_SET = OutputKind(
    name="data set",
    listed=_listed,
    patterns=(MANIFEST_FILE, ANNOUNCED, _SHARD, *_TFDS, _LABELS, *_OF_JOB),
    announced=_own_beside,
    markers={".job/job.json": ("digest", "data")},
)
"""What `import` and `generate` write."""
