"""Explains what is wrong with a configuration: which key, what was expected and received."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import ValidationError

from latentloom.augment.spelling import nearest
from latentloom.pipeline.config.settings import Section

_MOST_SHOWN = 200
"""Largest number of characters of a value that a message shows."""


def explain(
    error: ValidationError, tree: Any, root: type[Section], above: Sequence[str] = ()
) -> str:
    """Says for each key what was expected and received; names the nearest key if it is unknown.

    Args:
        error: The error.
        tree: What was checked.
        root: The section it was checked against.
        above: Keys above it.
    """
    expected: dict[str, list[str]] = {}
    received: dict[str, Any] = {}
    for problem in error.errors():
        location = _location(problem["loc"], tree)
        if problem["type"] == "extra_forbidden":
            return _explain_unknown(location, root, above)
        rule = problem["msg"].removeprefix("Value error, ")
        if not location and problem["type"] == "value_error":
            return rule  # of another section, explained already
        key = ".".join((*above, *location))
        expected.setdefault(key, []).append(rule)
        received[key] = problem["input"]
    return " ".join(
        f"'{key}' is wrong. Expected: {' or '.join(rules)}. "
        f"Received: {key}={shown(received[key])}. {_fix(rules, received[key])}"
        for key, rules in expected.items()
    )


def _fix(rules: Sequence[str], value: Any) -> str:
    """Returns the fix for a value; a name such as `true` or `null` is one only in quotes."""
    is_name = value is None or isinstance(value, bool)
    quoted = is_name and any("valid string" in rule for rule in rules)
    return "Write it in quotes if it is a name." if quoted else "Correct this value."


def _location(parts: Sequence[Any], tree: Any) -> list[str]:
    """Returns the keys of a location, without the names of types that pydantic puts between."""
    location = []
    for part in parts:
        is_key = isinstance(tree, dict) and part in tree
        if is_key or (isinstance(tree, list) and part in range(len(tree))):
            tree = tree[part]
            location.append(shorten(str(part)))
    return location


def _explain_unknown(location: list[str], root: type[Section], above: Sequence[str]) -> str:
    key = ".".join((*above, *location))
    known = sorted(_section_at(location[:-1], root).model_fields)
    return (
        f"Unknown key '{key}'. Expected: one of {', '.join(known)}. "
        f"Received: {key}. {nearest(location[-1], known)}"
    )


def _section_at(location: Sequence[str], root: type[Section]) -> type[Section]:
    section: Any = root
    for name in location:
        fields = getattr(section, "model_fields", None)
        section = fields[name].annotation if fields else get_args(section)[1]
        if type(None) in get_args(section):
            section = get_args(section)[0]
    return section


def shown(value: Any) -> str:
    """Returns a value as a message shows it."""
    return shorten(repr(value))


def shorten(text: str) -> str:
    """Returns the beginning of a long text."""
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def one_line(error: Exception) -> str:
    """Returns the message of an error in one line."""
    return shorten(" ".join(str(error).split()))
