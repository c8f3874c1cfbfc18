"""Axes: which block of a code, and which of its entries, a traversal moves along."""

from __future__ import annotations

import numpy as np

from latentloom.augment.latents import Block, LatentSpec
from latentloom.augment.options import read_axes

__all__ = ["traversed_axes", "traversed_block"]

AUTO = "auto"
"""Stands for the only block that a traversal can move."""


def traversed_block(spec: LatentSpec, name: str = AUTO) -> Block:
    """Finds the block that a traversal moves.

    Args:
        spec: The blocks.
        name: Name of a block, or `"auto"` for the only block without the class. If every block
            carries the class, `"auto"` is the only block of the code.

    Returns:
        The block.

    Raises:
        ValueError: If there is no such block, or more than one to choose from.
    """
    if name != AUTO:
        return spec[name]
    first, *others = spec.free_of("label") or spec.names
    if others:
        raise ValueError(
            "The block to move is ambiguous. Expected: the name of one of "
            f"{sorted(spec.names)}. Received: block={name!r}, which may be any of "
            f"{[first, *others]}. Set the option `block`."
        )
    return spec[first]


def traversed_axes(block: Block, text: str = "all") -> np.ndarray:
    """Finds the axes of a block that a traversal moves along.

    Args:
        block: The block.
        text: Their numbers, such as `"0,1,2"`, or `"all"`.

    Returns:
        int64 of shape `(a,)`: at least one, in the order of the text.

    Raises:
        ValueError: If the text is invalid, the block has no such axis, or its prior does not vary
            along one of them.
    """
    numbers = read_axes(text)
    count = block.num_axes
    axes = np.arange(count) if numbers is None else np.array(numbers, object)
    if missing := [axis for axis in axes if axis >= count]:
        size = f"its size is {count}" if count == block.dim else f"it has {count} directions"
        raise ValueError(
            f"Block '{block.name}' has no axis {missing[0]}. Expected: axes from 0 to "
            f"{count - 1}, since {size}. Received: axes={text!r}. Name others."
        )
    axes = axes.astype(np.int64)
    is_still = block.prior.axis_spread[axes] == 0
    if is_still.any():
        moving = ",".join(map(str, axes[~is_still]))
        fix = f"Set the option `axes` to {moving}." if moving else "Move another block."
        raise ValueError(
            f"The prior of block '{block.name}' is constant along axis {axes[is_still][0]}. "
            "Expected: a prior that varies along each axis. Received: a spread of 0 along "
            f"{axes[is_still].tolist()}. {fix}"
        )
    return axes
