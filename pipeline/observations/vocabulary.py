"""The vocabulary of bags of words: the word of each count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def check_vocabulary(words: Sequence[str]) -> None:
    """Rejects duplicate, empty or spaced words.

    Raises:
        ValueError: If a word is a duplicate, is empty or has spaces.
    """
    twice = [word for word, times in Counter(words).items() if times > 1]
    bad = twice or [word for word in words if word.split() != [word]]
    if bad:
        raise ValueError(
            "The vocabulary is invalid. Expected: distinct words, none empty or with spaces. "
            f"Received: '{bad[0]}'{', twice or more' if twice else ''}. Merge or rename it."
        )


def summarise(words: Sequence[str], shown: int = 5) -> str:
    """Returns the number of words, and the first few."""
    more = ", ..." if len(words) > shown else ""
    return f"{len(words):,} words: {', '.join(words[:shown])}{more}"
