"""Checks a path that a user names, before anything is read or written there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from latentloom.pipeline.storage.files import Location, as_location, is_remote

LONGEST_PATH = 2048
"""Largest number of bytes of an absolute path; files in it need some of the system's 4096."""
DEEPEST_PATH = 256
"""Largest number of folders of an absolute path; libraries recurse into each."""
_SHOWN = 100


def check_path(path: Location, name: str, *, is_input: bool = False) -> str:
    """Checks a path for its length, and for what the operating system says about it.

    Args:
        path: Path of a file or a folder, there or not.
        name: Name of the path in the command, for messages.
        is_input: Whether the path is read; it must be readable if it exists.

    Returns:
        The path as `as_location` returns it. A path with a scheme is not checked.

    Raises:
        ValueError: If the path is empty, too long or too deep, leads through a file or a loop of
            links, or may not be read.
    """
    location = as_location(path)
    if is_remote(location):
        return location
    absolute = os.path.abspath(location)
    size, depth = len(os.fsencode(absolute)), absolute.count(os.sep)
    if size > LONGEST_PATH or depth > DEEPEST_PATH:
        raise ValueError(
            f"The path for {name} is too long. Expected: at most {LONGEST_PATH} bytes and "
            f"{DEEPEST_PATH} folders. Received: {name}={_shown(location)}, {size} bytes and "
            f"{depth} folders. Choose a shorter path."
        )
    with refused_path(location, name):
        is_there = _exists(location)
        if is_there and is_input and not os.access(location, os.R_OK):
            raise PermissionError(None, "it may not be read")
    return location


def check_local(path: Location, name: str) -> None:
    """Rejects a path with a scheme.

    Args:
        path: Path of an input or an output.
        name: Its name in the command, for messages.

    Raises:
        ValueError: If the path has a scheme.
    """
    if is_remote(path):
        raise ValueError(
            f"'{path}' is a remote path. Expected: a local directory; only `import` and "
            f"`generate` write to remote paths. Received: {name}={path}. Write locally, "
            "then copy the directory."
        )


@contextmanager
def refused_path(path: Location, name: str) -> Iterator[None]:
    """Turns an error of the operating system about a path into one message.

    Raises:
        ValueError: If the block raised an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"The path for {name} cannot be used. Expected: a path that exists or can be made, "
            f"with access rights. Received: {name}={_shown(os.fspath(path))}: "
            f"{error.strerror or error}. Correct the path or its permissions."
        ) from error


def _exists(path: str) -> bool:
    """Returns whether a path exists; raises every other answer of the operating system."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return False
    return True


def _shown(path: str) -> str:
    return path if len(path) <= _SHOWN else f"{path[:_SHOWN]}..."
