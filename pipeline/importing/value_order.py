"""The order of the values of a factor: numbers by their size, other texts by their characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,40})?")


def in_order(names: Iterable[str]) -> list[str]:
    """Sorts distinct names: by size if all of them are numbers, else as texts.

    Example:
        >>> in_order(["10", "9"]), in_order(["10", "9", "a"])
        (['9', '10'], ['10', '9', 'a'])
    """
    ordered = sorted(set(names))
    if all(map(_NUMBER.fullmatch, ordered)):
        ordered.sort(key=Decimal)  # "7" and "07" stay in the order of texts
    return ordered
