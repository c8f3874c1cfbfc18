"""Marks an output directory as owned by one run, so only this run resumes in it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from latentloom.model_zoo.untrusted_files import told_of_file
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import Location, exists, make_folders, read_text
from latentloom.pipeline.storage.output_directories import held_directory
from latentloom.pipeline.storage.ownership import OutputKind


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

    @contextlib.contextmanager
    def held(self, kind: OutputKind, *, overwrite: bool) -> Iterator[None]:
        """Locks the directory and marks it for this run: a new one, or one that it has marked.

        Args:
            kind: What the run writes.
            overwrite: Whether to remove an earlier output first.

        Raises:
            FileExistsError: As `held_directory`. Raises `error` if another run has marked it.
        """
        with held_directory(self.directory, kind, overwrite=overwrite, resumable=self.exists):
            self.mark()
            yield

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
                f"another {' and '.join(unlike)}. Choose another directory, or pass --overwrite to "
                "start anew."
            )
