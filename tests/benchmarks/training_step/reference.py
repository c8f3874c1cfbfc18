"""A training step as a file of plain arrays, from one framework's process to the other's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LISTS = ("weights", "gradients", "noise")


def save_step(path: str, step: Mapping[str, Any]) -> None:
    """Writes what `keras_step.reference_step` returns."""
    arrays = {}
    for part, content in step.items():
        items = enumerate(content) if part in LISTS else content.items() if named(content) else ()
        arrays |= {f"{part}/{name}": array for name, array in items}
        if not (part in LISTS or named(content)):
            arrays[part] = content
    np.savez(path, allow_pickle=False, **arrays)


def load_step(path: str) -> dict[str, Any]:
    """Reads what `save_step` wrote."""
    step: dict[str, Any] = {part: [] for part in LISTS}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:  # in the order of writing
            part, slash, name = key.partition("/")
            if part in LISTS:
                step[part].append(arrays[key])
            elif slash:
                step.setdefault(part, {})[name] = arrays[key]
            else:
                step[part] = arrays[key]
    return step


def named(content: Any) -> bool:
    """Whether a part of a step holds arrays by name."""
    return isinstance(content, Mapping)
