"""Which files of an output directory latentloom wrote: known by content, not by name alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from latentloom.pipeline.storage.files import file_size, read_text

_TEMPORARY = re.compile(r"(.*/)?\.[^/]+\.[0-9a-f]{8}\.tmp")
"""Path of a file of `AtomicFile` whose process was killed."""
_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_MARKER_BYTES = 10_000_000


@dataclass(frozen=True)
class OutputKind:
    """What a verb writes into its output directory, and how it is recognised there.

    Patterns are paths relative to the directory; `*` stands for a part of one name.

    Args:
        name: What the directory is, such as `data set`.
        listed: Returns the patterns of the files of a finished output at a path, as its own
            description lists them; None if there is no valid description.
        patterns: Patterns of the files that a run may leave which was killed.
        markers: Files that mark an unfinished run: JSON objects, with the keys that they must have;
            a key `digest` must be a SHA-256.
        announced: Returns the patterns of further files that a run has written at a path, as it
            says there.
    """

    name: str
    listed: Callable[[str], Collection[str] | None]
    patterns: Collection[str]
    markers: Mapping[str, Collection[str]] = field(default_factory=dict)
    announced: Callable[[str], Iterable[str]] = lambda path: ()

    def is_complete(self, path: str) -> bool:
        """Returns whether a directory holds a finished output of this kind."""
        return self.listed(path) is not None

    def owned_patterns(self, path: str, left_by: str | None) -> Collection[str] | None:
        """Returns the patterns of our files in a directory; None if it holds no such output.

        Args:
            path: The directory.
            left_by: The kind that a run wrote here which was killed, from its lock; or None.
        """
        listed, is_marked = self.listed(path), self._is_marked(path)
        if left_by != self.name and not (listed is None and is_marked):
            return listed
        return {*(listed or ()), *self.patterns, *self.announced(path)}

    def _is_marked(self, path: str) -> bool:
        return any(
            has_keys(read_object(os.path.join(path, file)), keys)
            for file, keys in self.markers.items()
        )


def has_keys(found: Mapping[str, object], keys: Collection[str]) -> bool:
    """Returns whether an object has keys; a `digest` among them must be a SHA-256."""
    is_ours = "digest" not in keys or _SHA256.fullmatch(str(found.get("digest")))
    return set(keys) <= set(found) and bool(is_ours)


def matches(name: str, patterns: Collection[str]) -> bool:
    """Returns whether a relative path is a temporary file of ours or matches a pattern."""
    return is_temporary(name) or any(_fits(name, pattern) for pattern in patterns)


def _fits(name: str, pattern: str) -> bool:
    """Returns whether a relative path matches a pattern, folder by folder."""
    names, patterns = name.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


def is_temporary(name: str) -> bool:
    """Returns whether a relative path is that of a file which a killed process left unfinished."""
    return _TEMPORARY.fullmatch(name) is not None


def read_object(path: str) -> dict:
    """Reads a JSON object from a file; empty if the file is missing or holds anything else."""
    size = file_size(path)
    if size is None or size > _MOST_MARKER_BYTES:
        return {}
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
