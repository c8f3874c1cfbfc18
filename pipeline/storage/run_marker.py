"""Marks an output directory as owned by one run, so only this run resumes in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import Location, exists, make_folders, read_text
from latentloom.pipeline.storage.output_directories import claim_directory


@dataclass(frozen=True)
class RunMarker:
    """The file in an output directory that says which run the directory belongs to.

    Args:
        directory: The output directory.
        file: Path of the marker in it.
        identity: Plain data that must be equal for one run to resume another.
        notes: Other contents of the file; not compared.
        error: Exception to raise if the directory belongs to another run.
    """

    directory: Location
    file: str
    identity: Mapping[str, Any]
    notes: Mapping[str, Any] = field(default_factory=dict)
    error: type[Exception] = FileExistsError

    @property
    def path(self) -> str:
        """Path of the marker."""
        return os.path.join(os.fspath(self.directory), self.file)

    def exists(self) -> bool:
        """Returns whether a run has marked the directory."""
        return exists(self.path)

    def claim(self, *, overwrite: bool) -> None:
        """Claims the directory for this run: a new or empty one, or one that the run has marked.

        Args:
            overwrite: Whether to empty the directory, if latentloom wrote it.

        Raises:
            FileExistsError: If the directory holds files without a marker. Raises `error` if
                another run has marked it.
        """
        claim_directory(self.directory, overwrite=overwrite, resumable=self.exists())
        self.mark()

    def mark(self) -> None:
        """Marks a claimed directory, or checks its marker if it has one."""
        if self.exists():
            text = read_text(self.path)
            with told_of_file(self.path, "the marker of a run", "Pass --overwrite to start anew."):
                found = dict(json.loads(text))
            self.check(found)
            return
        make_folders(os.path.dirname(self.path))
        write_atomic(self.path, json.dumps({**self.identity, **self.notes}))

    def check(self, found: Mapping[str, Any]) -> None:
        """Raises `error` unless the contents of a marker match this run."""
        expected = json.loads(json.dumps(self.identity))
        unlike = [name for name, value in expected.items() if found.get(name) != value]
        if unlike:
            raise self.error(
                f"'{self.directory}' belongs to another run, with another configuration or other "
                f"data. Expected: the {', '.join(expected)} that it was started with. Received: "
                f"another {' and '.join(unlike)}. Choose another --out, or pass --overwrite to "
                "start anew."
            )
