"""Finds the name that a misspelt one was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, choices: Iterable[str]) -> str:
    """The choice that looks most like a name; there is at least one."""
    return difflib.get_close_matches(name, list(choices), n=1, cutoff=0.0)[0]
