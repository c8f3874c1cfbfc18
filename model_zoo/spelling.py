"""Suggests the correct name for a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, choices: Iterable[str]) -> str:
    """Returns the choice most similar to a name; `choices` must not be empty."""
    return difflib.get_close_matches(name, list(choices), n=1, cutoff=0.0)[0]
