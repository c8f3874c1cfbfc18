"""The files of a data set directory, for those who may replace it."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator

from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.dataset.writing import is_unchanged
from latentloom.pipeline.storage.ownership import OutputKind, matches

_SHARD = "*.tfrecord-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]"
_TFDS = ("dataset_info.json", "features.json")
_LABELS = "*.labels.txt"
_REPORT = ("report.html", "report.json")
_OF_GENERATED = ("README.md", "config.yaml", "coverage.json", "dead_letters.jsonl", *_REPORT)
_OF_JOB = (".job/job.json", ".job/donors.npz", f".job/{_SHARD}.json")


def _listed(path: str) -> Collection[str] | None:
    """Patterns of the files that a manifest lists, and of those that older manifests do not."""
    try:
        manifest = Manifest.read(os.path.join(path, MANIFEST_FILE))
    except (OSError, ValueError):
        return None
    is_generated = manifest.kind == "generated"
    files = {MANIFEST_FILE, *_own_names(path, manifest)}
    if not manifest.files:
        labels = (_LABELS.replace("*", factor) for factor in manifest.factors)
        files |= {*_TFDS, *labels, *(_OF_GENERATED if is_generated else ())}
    return files | {*(_OF_JOB if is_generated else ())}


def _own_names(path: str, manifest: Manifest) -> Iterator[str]:
    """Yields the files of a manifest that latentloom can have written and nobody has edited.

    A shard may be damaged.
    """
    for shard in manifest.shards:
        if matches(shard.file, [_SHARD]):
            yield glob.escape(shard.file)
    for name, entry in manifest.files.items():
        ours = matches(name, (*_TFDS, _LABELS, *_OF_GENERATED))
        if ours and is_unchanged(os.path.join(path, name), entry):
            yield glob.escape(name)


DATA_SET = OutputKind(
    name="data set",
    listed=_listed,
    patterns=(MANIFEST_FILE, _SHARD, *_TFDS, _LABELS, *_OF_JOB),
    marked=_OF_GENERATED,
    markers={".job/job.json": ("digest", "data")},
)
"""What `import` and `generate` write."""
