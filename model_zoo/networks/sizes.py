"""Limits of the sizes of networks: sizes may come from a file, and memory is taken for them."""

from __future__ import annotations

import math

MOST_LAYERS = 16
"""Largest number of hidden dense layers."""
MOST_WEIGHTS = 1 << 27
"""Largest number of weights of a network: 512 MiB in float32."""


def check_weights(name: str, *shapes: tuple[int, ...]) -> None:
    """Rejects a network before memory is taken for it.

    Args:
        name: Name of the network.
        *shapes: Shapes of its weights.

    Raises:
        ValueError: It has more than `MOST_WEIGHTS` weights.
    """
    total = sum(math.prod(shape) for shape in shapes)
    if total > MOST_WEIGHTS:
        raise ValueError(
            f"The network '{name}' is too large. Expected: at most {MOST_WEIGHTS:,} weights. "
            f"Received: {total:,}. Lower `hidden_dim`, `width` or the sizes of the blocks under "
            "`model.args`, or import smaller observations."
        )
