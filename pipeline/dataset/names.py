"""Checks names before work starts: of data sets, splits and source files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from latentloom.pipeline.storage.texts import flaw_of, printable

_SPLIT = re.compile(r"[\w-]+")
_RESERVED_SPLITS = ("all",)
_LONGEST = 80
"""Largest number of bytes of the name of a data set or a split: file names hold both."""


def check_name(name: str) -> None:
    """Checks the name of a data set.

    Raises:
        ValueError: If it has other characters than TFDS allows, or is too long for a file name.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or len(name) > _LONGEST:
        raise ValueError(
            "The name of the data set is invalid. Expected: lower-case letters, digits and '_', a "
            f"letter first, at most {_LONGEST}. Received: name='{printable(name)}'. Choose such a "
            "name with --name."
        )


def check_splits(splits: Iterable[str]) -> None:
    """Checks the names of splits.

    Raises:
        ValueError: If TFDS cannot read a split of such a name, or it is too long for a file name.
    """
    for split in splits:
        fits = _SPLIT.fullmatch(split) and any(map(str.isalnum, split))
        if not fits or split in _RESERVED_SPLITS or len(split.encode()) > _LONGEST:
            raise ValueError(
                f"'{printable(split)}' is an invalid name of a split. Expected: letters, digits, "
                f"'_' and '-', at most {_LONGEST}, and not {', '.join(_RESERVED_SPLITS)}, which "
                f"means every split to TFDS. Received: split={split!r}. Rename it."
            )


def check_source_text(what: str, text: str) -> None:
    """Checks a path or a spec that a manifest and messages will show.

    Raises:
        ValueError: If it is not UTF-8 or has control characters.
    """
    if flaw := flaw_of(text):
        raise ValueError(
            f"{what} '{printable(text)}' {flaw}. Expected: UTF-8 without line ends and control "
            f"characters. Received: {text!r}. Rename it."
        )
