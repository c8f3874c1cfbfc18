"""The vocabulary of bags of words: which word each count is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def check_vocabulary(words: Sequence[str]) -> None:
    """Refuses words that cannot be told apart in a list of them.

    Raises:
        ValueError: Two words are the same, or one is empty or has spaces.
    """
    twice = [word for word, times in Counter(words).items() if times > 1]
    bad = twice or [word for word in words if word.split() != [word]]
    if bad:
        raise ValueError(
            "The vocabulary cannot be used. Expected: distinct words, none empty or with spaces. "
            f"Received: '{bad[0]}'{', twice or more' if twice else ''}. Merge or rename it."
        )


def summarise(words: Sequence[str], shown: int = 5) -> str:
    """How many words there are, and the first few."""
    more = ", ..." if len(words) > shown else ""
    return f"{len(words):,} words: {', '.join(words[:shown])}{more}"
