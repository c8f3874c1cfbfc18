"""Turns what a library raises about a damaged file into one message that names the file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from pydantic import ValidationError

_SHOWN = 300  # characters of a library's message
_NAMED = 3  # problems of a schema that a message names


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
        OSError: The file is missing or may not be read.
        ValueError: The block raised anything else.
    """
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        if error.errno is None:  # of ours
            raise
        raise unreadable(path, error, expected) from error
    except Exception as error:
        raise ValueError(
            f"{part and f'{part} of '}'{os.fspath(path)}' cannot be read. Expected: {expected}. "
            f"Received: {describe_error(error)}. {fix}"
        ) from error


def unreadable(
    path: str | os.PathLike[str], error: OSError, expected: str = "a readable file"
) -> OSError:
    """Returns an error of the operating system with the rule that it breaks and a remedy."""
    return OSError(
        error.errno,
        f"This cannot be read. Expected: {expected}. Received: {error.strerror}. Correct the path "
        "or its permissions",
        os.fspath(path),
    )


def describe_error(error: Exception) -> str:
    """Returns what a library raised on one line, cut to a readable length."""
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False)[:_NAMED]
        told = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems)
        said = "; ".join(told)
    else:
        said = f"{type(error).__name__}: {error}"
    said = " ".join(said.split())
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}..."
