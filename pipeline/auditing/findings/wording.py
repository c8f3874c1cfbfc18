"""Words that several findings share."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 5
"""Most classes or cells that a sentence names."""


def counted(count: int, noun: str, ending: str = "s") -> str:
    """Returns a number with its noun, in the plural unless the number is one."""
    return f"{count:,} {noun}{'' if count == 1 else ending}"


def listed(names: Sequence[str], between: str = ", ") -> str:
    """Returns the first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return between.join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
