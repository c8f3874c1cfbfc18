"""Reads YAML as plain data, within bounds: duplicate keys, deep nesting and bombs are rejected.

PyYAML silently keeps the last of two keys, recurses as deep as a file asks for, and lets a few
aliases stand for billions of values.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

_SCIENTIFIC = re.compile(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$")
"""Numbers such as 1e-3, which YAML 1.1 takes for text."""
MOST_CHARACTERS = 100_000
"""Longest text; the longest configuration of this repository has 2,000 characters."""
MOST_VALUES = 10_000
"""Largest number of values, with everything that an alias stands for."""
DEEPEST = 20
"""Deepest nesting, with everything that an alias stands for."""

_CONSTRUCTION = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError)
"""What PyYAML raises for a scalar that does not fit its tag, such as `!!int x`."""


_NAMES = {"bool": re.compile("true|false", re.I), "int": re.compile(r"[-+]?(?!0\d)[^:]*")}
"""Scalars of YAML 1.1 that keep their type; the others are names: `no`, `on`, `07`, `1:30`."""


class _StrictLoader(yaml.SafeLoader):
    """Reads plain data; `no`, `on`, `07` and dates stay texts, and so do all keys."""

    def __init__(self, text: str):
        super().__init__(text)
        self.depth = 0
        self.checked: set[int] = set()

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            mark = self.peek_event().start_mark
            raise ComposerError(None, None, _too_deep(), mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)
        if kind is not yaml.ScalarNode or not implicit[0]:
            return tag
        name = tag.rpartition(":")[2]
        is_name = name == "timestamp" or (name in _NAMES and not _NAMES[name].fullmatch(value))
        return self.DEFAULT_SCALAR_TAG if is_name or (name == "float" and ":" in value) else tag

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            _measure(node, {})
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        if id(node) not in self.checked:  # afterwards it has the merged keys too
            self.checked.add(id(node))
            _check_keys(node)
        super().flatten_mapping(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


_StrictLoader.add_implicit_resolver("tag:yaml.org,2002:float", _SCIENTIFIC, list("-+0123456789"))


def load_yaml(text: str) -> Any:
    """Reads YAML as plain data.

    Raises:
        yaml.YAMLError: If the text is not YAML, a mapping has a duplicate key, or the text is
            longer, deeper or larger than the bounds.
    """
    if len(text) > MOST_CHARACTERS:
        raise yaml.YAMLError(f"{len(text)} characters, and at most {MOST_CHARACTERS} are allowed")
    try:
        return yaml.load(text, _StrictLoader)
    except _CONSTRUCTION as error:
        raise yaml.YAMLError(f"a value does not fit its type: {error}") from error


def _check_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        problem = ""
        if not isinstance(key, yaml.ScalarNode):
            problem = "a key is a list or a mapping, and only texts are allowed"
        elif key.value in seen:
            problem = f"the key '{key.value}' is a duplicate"
        if problem:
            raise ConstructorError(None, None, problem, key.start_mark)
        seen.add(key.value)


def _measure(node: yaml.Node, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Returns the number of values in a node and its depth, with what its aliases stand for.

    Args:
        node: The node; its own depth is bounded, that of its aliases is not.
        known: Results by identity; (0, 0) for a node that is being measured.
    """
    if id(node) in known:
        if known[id(node)] == (0, 0):
            raise _beyond("an alias stands for a part of itself", node)
        return known[id(node)]
    known[id(node)] = (0, 0)
    parts: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    measured = [_measure(part, known) for part in parts]
    size = 1 + sum(size for size, _ in measured)
    depth = 1 + max((depth for _, depth in measured), default=0)
    if size > MOST_VALUES:
        raise _beyond(f"more than {MOST_VALUES} values, aliases included", node)
    if depth > DEEPEST:
        raise _beyond(_too_deep(), node)
    known[id(node)] = size, depth
    return size, depth


def _too_deep() -> str:
    return f"nested deeper than {DEEPEST} levels"


def _beyond(problem: str, node: yaml.Node) -> yaml.YAMLError:
    return ComposerError(None, None, problem, node.start_mark)
