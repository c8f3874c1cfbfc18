"""Reads YAML and rejects duplicate keys, where PyYAML silently keeps the last."""

from __future__ import annotations

from typing import Any

import yaml


class _StrictLoader(yaml.SafeLoader):
    """Reads plain data, and rejects a mapping with a duplicate key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' is a duplicate", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_yaml(text: str) -> Any:
    """Reads YAML as plain data.

    Raises:
        yaml.YAMLError: If the text is not YAML, or a mapping has a duplicate key.
    """
    return yaml.load(text, _StrictLoader)
