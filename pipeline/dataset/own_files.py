"""The files of a data set directory, for those who may replace it: known by what is in them."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Collection, Iterator, Mapping

from pydantic import BaseModel, ConfigDict

from latentloom.pipeline.dataset.entries import FileEntry, PlainName
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.storage.files import exists, file_size, read_text, sha256_file
from latentloom.pipeline.storage.ownership import OutputKind, matches

ANNOUNCED = ".files.json"
"""Lists the files beside the shards while they are written, before the manifest does."""
_SHARD = "*.tfrecord-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]"
_TFDS = ("dataset_info.json", "features.json")
_LABELS = "*.labels.txt"
_REPORT = ("report.html", "report.json")
_OF_GENERATED = ("README.md", "config.yaml", "coverage.json", "dead_letters.jsonl", *_REPORT)
_OF_JOB = (".job/job.json", ".job/donors.npz", f".job/{_SHARD}.json")


class Announcement(BaseModel):
    """The content of `ANNOUNCED`: files of a data set directory by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[PlainName, FileEntry]

    @classmethod
    def read(cls, path: str) -> Announcement:
        """Reads an announcement.

        Raises:
            ValueError: The file holds anything else.
        """
        return cls.model_validate_json(read_text(path))


def is_unchanged(path: str | os.PathLike[str], entry: FileEntry) -> bool:
    """Returns whether a file has the size and the hash of its entry."""
    return file_size(path) == entry.num_bytes and sha256_file(path) == entry.sha256


def own_entries(folder: str | os.PathLike[str]) -> dict[str, FileEntry]:
    """Returns the files beside the shards that runs wrote into a directory and nobody has changed.

    The manifest lists them; of a run that was killed before its manifest, `ANNOUNCED` does.
    """
    listed: dict[str, FileEntry] = {}
    for name, read in ((MANIFEST_FILE, Manifest.read), (ANNOUNCED, Announcement.read)):
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError, ValueError):  # a damaged manifest is replaced
            listed |= read(path).files if exists(path) else {}
    return {name: e for name, e in listed.items() if is_unchanged(os.path.join(folder, name), e)}


def check_own(folder: str | os.PathLike[str], files: Mapping[str, bytes]) -> None:
    """Rejects contents of files whose names somebody else has taken in a directory.

    Raises:
        FileExistsError: A file of one of the names is neither what an earlier run wrote, nor equal.
    """
    own = own_entries(folder)
    for name, data in files.items():
        path = os.path.join(folder, name)
        if exists(path) and name not in own and not is_unchanged(path, FileEntry.of(data)):
            raise FileExistsError(
                f"'{path}' is not as latentloom wrote it, or somebody else put it there, so it "
                f"stays. Expected: no other file named {name} in the output directory. Received: "
                f"out={os.fspath(folder)}. Move it away and run the same command again: finished "
                "shards are kept."
            )


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
    for name in own_entries(path):
        if matches(name, (*_TFDS, _LABELS, *_OF_GENERATED)):
            yield glob.escape(name)


DATA_SET = OutputKind(
    name="data set",
    listed=_listed,
    patterns=(MANIFEST_FILE, ANNOUNCED, _SHARD, *_TFDS, _LABELS, *_OF_JOB),
    announced=_own_beside,
    markers={".job/job.json": ("digest", "data")},
)
"""What `import` and `generate` write."""
