"""The anchors' own detail: what their reconstructions lack, put back into their variants.

A variant is then `decode(changed code) + share * (anchor - decode(anchor's code))`. With a share of
1 this is the anchor, changed by the difference of two decoded codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.augment import Latents
from latentloom.pipeline.codec.batching import Gathered
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.observations import Kind

BYTES_OF_VALUE = 4
"""Bytes that a value of the detail takes; a pixel takes one."""


@dataclass(frozen=True)
class Detail:
    """The share of the anchors' detail to put back, and the anchors to take it from.

    Attributes:
        share: In `(0, 1]`.
        observations: The anchors as stored, `(n, ...)`; rows are read when they are needed.
    """

    share: float
    observations: np.ndarray | StoredObservations

    def of_variants(self, codec: Codec, latents: Latents, anchors: np.ndarray) -> Gathered:
        """What to add to the decoded code of each variant.

        Args:
            codec: The codec of a bundle.
            latents: Codes of the anchors, `(n, dim)` a block, all blocks.
            anchors: Row of the anchor of each variant, `(V,)`.
        """
        used, places = np.unique(anchors, return_inverse=True)
        codes = {name: block[used] for name, block in latents.items()}
        own = codec.detail(self.observations[used], codes)
        own *= np.float32(self.share)
        return Gathered(own, places)


def detail_of(share: float, observations: np.ndarray | StoredObservations) -> Detail | None:
    """The detail of anchors, or None for a share of 0."""
    return Detail(share, observations) if share else None


def check_detail(share: float, kind: Kind, key: str = "generate") -> None:
    """Rejects to put detail back into observations that are no sums of parts.

    Args:
        share: The share to put back.
        kind: The kind of the observations.
        key: Key of the section of the configuration, for the message.

    Raises:
        ValueError: The kind has no detail.
    """
    if share and not kind.has_detail:
        raise ValueError(
            f"{kind.many.capitalize()} have no detail to put back. Expected: images or vectors. "
            f"Received: {key}.detail={share:g}, and {kind.many}. Leave `detail` out."
        )
