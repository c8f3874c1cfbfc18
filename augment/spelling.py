"""Finds the choice that a misspelt name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(name: str, choices: Iterable[str]) -> str:
    """Words the fix for an unknown name.

    Args:
        name: What was given.
        choices: The names that would have been right.

    Returns:
        `Did you mean '<choice>'?` where one is close, else `Choose one of them.`

    Example:
        >>> nearest("reconstuct", ["class_preserving", "reconstruct"])
        "Did you mean 'reconstruct'?"
    """
    close = get_close_matches(str(name), sorted(choices), n=1, cutoff=0.5)
    return f"Did you mean '{close[0]}'?" if close else "Choose one of them."
