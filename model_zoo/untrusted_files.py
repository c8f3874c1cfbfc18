"""Turns what a library raises about a damaged file into one message that names the file."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

_SHOWN = 300  # characters of a library's message


@contextlib.contextmanager
def told_of_file(
    path: str | os.PathLike[str], expected: str, fix: str = "Copy it again.", part: str = ""
) -> Iterator[None]:
    """Wraps the reading of a file that may be damaged or made to harm.

    Keep the block to calls of the reading library, so that a mistake of our own is not taken for
    damage.

    Args:
        path: The file.
        expected: The rule that the file breaks if the block raises.
        fix: The remedy, an imperative sentence.
        part: The part of the file that is read, such as "Array 'images'"; by default the whole.

    Raises:
        ValueError: The block raised anything but that the file is missing or may not be read.
    """
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:
        raise ValueError(
            f"{part and f'{part} of '}'{os.fspath(path)}' cannot be read. Expected: {expected}. "
            f"Received: {_said(error)}. {fix}"
        ) from error


def parse_json(text: str | bytes, path: str | os.PathLike[str], expected: str, fix: str) -> Any:
    """Parses the JSON of a file.

    Raises:
        ValueError: The text is not JSON in UTF-8, or is nested too deeply.
    """
    with told_of_file(path, expected, fix):
        return json.loads(text)


def _said(error: Exception) -> str:
    """Returns kind and message of an error on one line, cut to a readable length."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}..."
