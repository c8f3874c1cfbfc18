"""The order of the values of a factor: numbers by their size, other texts by their characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:e[-+]?[0-9]{1,3})?")


def are_numbers(names: Iterable[str]) -> bool:
    """Returns whether all names are numbers, such as "10", "-1" or "0.5"."""
    return all(map(_NUMBER.fullmatch, names))


def in_order(names: Iterable[str]) -> list[str]:
    """Sorts distinct names: by size if all of them are numbers, else as texts.

    Example:
        >>> in_order(["10", "9"]), in_order(["10", "9", "a"])
        (['9', '10'], ['10', '9', 'a'])
    """
    ordered = sorted(set(names))
    if are_numbers(ordered):
        ordered.sort(key=Decimal)  # "7" and "07" stay in the order of texts
    return ordered
