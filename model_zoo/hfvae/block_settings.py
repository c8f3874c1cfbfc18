"""Checks the block settings of the hierarchically factorised VAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from latentloom.model_zoo.arguments import LARGEST_DIM
from latentloom.model_zoo.spelling import nearest_name

BLOCK_KEYS = ("dim", "values", "factor")


def check_blocks(blocks: Mapping[str, Any], num_classes: int) -> None:
    """Checks the blocks.

    Raises:
        ValueError: There are no blocks, a name or a key is wrong, a size is out of range or differs
            from the number of classes, or two blocks are tied to the label.
    """
    if not isinstance(blocks, Mapping) or not blocks:
        raise ValueError(
            "The code has no blocks. Expected: one or more, by name. Received: "
            f"blocks={blocks!r}. Set `model.args.blocks`, for example to {{z: {{dim: 10}}}}."
        )
    for name, described in blocks.items():
        _check_block(name, described, num_classes)
    tied = [name for name, described in blocks.items() if "factor" in described]
    if len(tied) > 1:
        raise ValueError(
            "Two blocks are tied to the label. Expected: at most one. Received: "
            f"{', '.join(tied)}. Replace `factor` by `values` in all but one."
        )


def _check_block(name: Any, described: Any, num_classes: int) -> None:
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(
            "The name of a block is invalid. Expected: a string without '/'. Received: "
            f"{name!r}. Rename it under `model.args.blocks`."
        )
    kinds = "`dim` for a Gaussian block, `values` or `factor` for a categorical block"
    if not isinstance(described, Mapping) or not described:
        raise ValueError(
            f"Block '{name}' has no kind. Expected: {kinds}. Received: {described!r}. Describe it "
            f"under `model.args.blocks.{name}`."
        )
    for key in described:
        if key not in BLOCK_KEYS:
            raise ValueError(
                f"Block '{name}' has an unknown key. Expected: {', '.join(BLOCK_KEYS)}. Received: "
                f"{key!r}. Did you mean '{nearest_name(str(key), BLOCK_KEYS)}'?"
            )
    if "dim" in described and len(described) > 1:
        raise ValueError(
            f"Block '{name}' has two kinds. Expected: {kinds}. Received: "
            f"{', '.join(described)}. Drop one of them."
        )
    _check_size(name, described, num_classes)
    if "factor" in described:
        _check_factor(name, described, num_classes)


def _check_size(name: str, described: Mapping[str, Any], num_classes: int) -> None:
    for key, least in (("dim", 1), ("values", 2)):
        size = described.get(key, least)
        whole = isinstance(size, int) and not isinstance(size, bool)
        if not whole or not least <= size <= LARGEST_DIM:
            raise ValueError(
                f"The size of block '{name}' is out of range. Expected: {key} of at least {least}, "
                f"at most {LARGEST_DIM}. Received: {key}={size!r}. Correct it under "
                "`model.args.blocks`, or leave the block out."
            )


def _check_factor(name: str, described: Mapping[str, Any], num_classes: int) -> None:
    if described["factor"] != "label":
        raise ValueError(
            f"Block '{name}' cannot be tied to this factor. Expected: label. Received: "
            f"factor={described['factor']!r}. Write `factor: label`, or `values` alone."
        )
    if described.get("values", num_classes) != num_classes or num_classes < 2:
        raise ValueError(
            f"Block '{name}' does not fit the label. Expected: one value for each of "
            f"{num_classes} classes, two or more. Received: values={described.get('values')}. "
            "Leave out `values`, or `factor`."
        )
