"""The blocks of a code: the content of an image, and its look: style and domain together."""

from __future__ import annotations

import math
from collections.abc import Sequence

CONTENT = "content"
LOOK = "look"


def block_spec(domain: str, content_shape: Sequence[int], look_dim: int) -> dict[str, dict]:
    """Lays out the blocks.

    Args:
        domain: Name of the factor that `look` carries. Unless it is "label", `content` carries the
            label.
        content_shape: `(h, w, channels)` of the map in `content`.
        look_dim: Size of the style and of the one-hot of the domain together.

    Returns:
        The blocks in the form of `latent_spec`.
    """
    return {
        CONTENT: {
            "dim": math.prod(content_shape),
            "factors": [] if domain == "label" else ["label"],
        },
        LOOK: {"dim": look_dim, "factors": [domain]},
    }
