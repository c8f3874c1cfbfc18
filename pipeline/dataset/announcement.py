"""Tells the files that a run writes from those that somebody else puts there under their names."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict

from latentloom.pipeline.dataset.entries import FileEntry, PlainName
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import exists, file_size, read_text, sha256_file


class Announcement(BaseModel):
    """A file that lists, by name, the files that a run is about to write into a directory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[PlainName, FileEntry]

    @classmethod
    def read(cls, path: str) -> Announcement:
        """Reads an announcement; it is empty if the file is missing or holds anything else."""
        try:
            return cls.model_validate_json(read_text(path)) if exists(path) else cls(files={})
        except (OSError, ValueError):
            return cls(files={})

    def write(self, path: str) -> None:
        """Writes the announcement."""
        write_atomic(path, self.model_dump_json())


def is_unchanged(path: str | os.PathLike[str], entry: FileEntry) -> bool:
    """Returns whether a file has the size and the hash of its entry."""
    return file_size(path) == entry.num_bytes and sha256_file(path) == entry.sha256


def unchanged(folder: str | os.PathLike[str], listed: Mapping[str, FileEntry]) -> set[str]:
    """Returns the names of the listed files of a directory that nobody has changed."""
    return {
        name for name, entry in listed.items() if is_unchanged(os.path.join(folder, name), entry)
    }


def check_own(
    folder: str | os.PathLike[str], files: Mapping[str, FileEntry], own: Collection[str]
) -> None:
    """Rejects files to be written if somebody else has taken their names in a directory.

    Args:
        folder: The directory.
        files: The files to be written.
        own: Names of the files there that earlier runs wrote and nobody has changed.

    Raises:
        FileExistsError: A file of one of the names is neither what an earlier run wrote, nor equal.
    """
    for name, entry in files.items():
        path = os.path.join(folder, name)
        if exists(path) and name not in own and not is_unchanged(path, entry):
            raise FileExistsError(
                f"'{path}' is not as latentloom wrote it, or somebody else put it there, so it "
                f"stays. Expected: no other file named {name} in the output directory. Received: "
                f"out={os.fspath(folder)}. Move it away and run the same command again, which goes "
                "on where it stopped (`train` with --resume)."
            )
