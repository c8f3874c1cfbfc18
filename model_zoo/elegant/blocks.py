"""The blocks of a code: channels of one map for each attribute, and the image itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

SOURCE = "source"
"""Name of the block that holds the image."""


def cut_channels(attributes: Sequence[str], channels: int) -> dict[str, tuple[int, int]]:
    """Cuts the channels of the code among the attributes, as the authors do.

    Returns:
        First channel and channel after the last by attribute: in order, all channels, each once.
    """
    count = len(attributes)
    cuts = [round(channels * i / count) for i in range(count + 1)]  # ties to even
    return dict(zip(attributes, pairwise(cuts), strict=True))


def block_spec(
    cuts: Mapping[str, tuple[int, int]],
    code_sides: tuple[int, int],
    image_shape: Sequence[int],
    factors: Sequence[str],
) -> dict[str, dict]:
    """Lays out the blocks: the attributes in order, then the image.

    Args:
        cuts: Channels of every attribute, from `cut_channels`.
        code_sides: Height and width of the map that the code is.
        image_shape: `(height, width, channels)` in pixels.
        factors: All factors of the data; `source` carries those that are no attributes.

    Returns:
        The blocks in the form of `latent_spec`.
    """
    area = math.prod(code_sides)
    blocks: dict[str, dict] = {
        name: {"dim": area * (end - begin), "factors": [name]}
        for name, (begin, end) in cuts.items()
    }
    rest = [name for name in factors if name not in cuts]
    return blocks | {
        SOURCE: {"dim": math.prod(image_shape), "factors": rest, "anchored": True},
    }
