"""The reasons of rejections, by the gate that gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from latentloom.augment import REALISM_CHECKS

CLASS, REALISM, FACTOR, NUMBERS = "class", "realism", "another factor", "numbers"
"""What a rejection is for. Numbers: an observation that is not finite."""

_KNOWN = {
    "not_finite": (NUMBERS, "not finite"),
    "wrong_class": (CLASS, "class: wrong"),
    "low_confidence": (CLASS, "class: unsure"),
    "unlike_real": (REALISM, "realism: far"),
    "wrong_detail": (REALISM, "realism: detail"),
    "unlikely_code": (REALISM, "realism: code"),
}
_OF_REALISM = {name for name, _ in REALISM_CHECKS.values()}


def gate_of(reason: str) -> str:
    """Returns what a rejection with this reason is for: `CLASS`, `REALISM`, and so on."""
    if reason in _KNOWN:
        return _KNOWN[reason][0]
    return REALISM if reason in _OF_REALISM else FACTOR


def in_few_words(reason: str) -> str:
    """Returns a reason as at most some 15 letters, what the rejection is for first."""
    if reason in _KNOWN:
        return _KNOWN[reason][1]
    return f"{reason.removeprefix('wrong_')}: wrong"


def by_gate(counts: Mapping[str, int]) -> Counter[str]:
    """Adds up counts by reason to counts by what the rejections are for."""
    found: Counter[str] = Counter()
    for reason, count in counts.items():
        found[gate_of(reason)] += count
    return +found
