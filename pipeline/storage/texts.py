"""Texts that every file and every terminal can hold: UTF-8, without control characters."""

from __future__ import annotations

import unicodedata

_REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that change the order in which the text after them is shown."""


def flaw_of(text: str) -> str:
    """Returns what is wrong with a text as a name, or an empty string.

    Args:
        text: The text; bytes of a file name that are not UTF-8 are surrogates in it.
    """
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            return "is not UTF-8"
        if category in ("Cc", "Zl", "Zp") or character in _REORDERING:
            return f"has the control character {character!r}"
    return ""


def printable(text: str) -> str:
    """Returns a text with a backslash escape for every character that `flaw_of` finds."""
    return "".join(repr(part)[1:-1] if flaw_of(part) else part for part in text)
