"""Suggests the nearest choice for a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(name: str, choices: Iterable[str]) -> str:
    """Returns the fix for an unknown name.

    Args:
        name: The unknown name.
        choices: The known names.

    Returns:
        `Did you mean '<choice>'?` where one is close, else `Choose one of them.`

    Example:
        >>> nearest("reconstuct", ["class_preserving", "reconstruct"])
        "Did you mean 'reconstruct'?"
    """
    close = get_close_matches(str(name), sorted(choices), n=1, cutoff=0.5)
    return f"Did you mean '{close[0]}'?" if close else "Choose one of them."
