"""A training step as a file of plain arrays, from one framework's process to the other's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LISTS = ("weights", "gradients", "updates", "noise")


def save_step(path: str, step: Mapping[str, Any]) -> None:
    """Writes what `keras_reference.reference_step` returns, or parts of it."""
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


def batches_of(stacked: Mapping[str, Any]) -> list[tuple[np.ndarray, Any]]:
    """The batches that lie along the leading axis of `images` and `answers`."""
    answers = stacked["answers"]
    return [
        (images, {n: a[i] for n, a in answers.items()} if named(answers) else answers[i])
        for i, images in enumerate(stacked["images"])
    ]


def named(content: Any) -> bool:
    """Whether a part of a step holds arrays by name."""
    return isinstance(content, Mapping)
