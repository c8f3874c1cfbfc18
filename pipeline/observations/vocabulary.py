"""The vocabulary of bags of words: the word of each count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from latentloom.pipeline.storage.texts import flaw_of


def check_vocabulary(words: Sequence[str]) -> None:
    """Rejects duplicate, empty or spaced words, and words that are not plain text.

    Raises:
        ValueError: If a word is a duplicate, is empty, has spaces or control characters, or is not
            UTF-8.
    """
    twice = [word for word, times in Counter(words).items() if times > 1]
    bad = twice or [word for word in words if word.split() != [word] or flaw_of(word)]
    if bad:
        raise ValueError(
            "The vocabulary is invalid. Expected: distinct words in UTF-8, none empty or with "
            "spaces or control characters. "
            f"Received: {bad[0]!r}{', twice or more' if twice else ''}. Merge or rename it."
        )


def summarise(words: Sequence[str], shown: int = 5) -> str:
    """Returns the number of words, and the first few."""
    more = ", ..." if len(words) > shown else ""
    return f"{len(words):,} words: {', '.join(words[:shown])}{more}"
