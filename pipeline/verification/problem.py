"""The result of a check: problems, each with its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_NAMED = 100
"""Largest number of problems that are named for the records of one file."""
OTHER_HASH = "has another SHA-256 than recorded"


@dataclass(frozen=True)
class Problem:
    """A problem with a file of a directory."""

    file: str
    reason: str


@dataclass(frozen=True)
class Verification:
    """The result of a check.

    Args:
        path: The directory.
        contents: What it holds, in words.
        problems: The problems; empty if the directory is intact.
    """

    path: str
    contents: str
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether the directory is intact."""
        return not self.problems


class RecordProblems:
    """Problems of the records of one file: names the first ones and counts the others."""

    def __init__(self, file: str):
        self._file = file
        self._named: list[Problem] = []
        self._others = 0

    def add(self, record: int, reason: str) -> None:
        """Adds a problem of a record, by its number from 0."""
        if len(self._named) < MOST_NAMED:
            self._named.append(Problem(self._file, f"record {record}: {reason}"))
        else:
            self._others += 1

    def all(self) -> Iterable[Problem]:
        """Returns the named problems, and one for the number of all others."""
        yield from self._named
        if self._others:
            yield Problem(self._file, f"has {self._others:,} more problems of records")
