"""Colours grey images: bright pixels take an ink, and the ink becomes a factor."""

from __future__ import annotations

import dataclasses

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.importing.derived import Batch, derive_source
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS

FACTOR = "ink"
"""Name of the factor for the ink."""
COLOURS = {
    "red": (220, 20, 60),
    "orange": (255, 165, 0),
    "yellow": (255, 255, 0),
    "green": (0, 128, 0),
    "cyan": (0, 255, 255),
    "blue": (0, 0, 255),
    "purple": (128, 0, 128),
    "pink": (255, 192, 203),
    "chocolate": (210, 105, 30),
    "silver": (192, 192, 192),
}
"""Names and RGB levels of the inks; a number of inks takes the first ones."""


def colour(source: Source, inks: int) -> Source:
    """Colours every grey image with an ink on black; its position keys the draw, not its class.

    Args:
        source: Grey images.
        inks: Number of inks, 2 to 10.

    Raises:
        ValueError: If the images are not grey, the factor exists, or `inks` is out of range.
    """
    kind = KINDS[source.observation]
    if not kind.can_resize or source.observation_shape[-1] != 1 or FACTOR in source.factors:
        raise ValueError(
            f"Source '{source.name}' is unfit for inks. Expected: grey images without a factor "
            f"'{FACTOR}'. Received: {kind.many} of shape {source.observation_shape} with "
            f"{list(source.factors)}. Drop --inks."
        )
    if not 2 <= inks <= len(COLOURS):
        raise ValueError(
            f"Option `inks` is out of range. Expected: 2 to {len(COLOURS)}. Received: inks={inks}. "
            "Choose a number in this range."
        )
    names = list(COLOURS)[:inks]
    palette = np.array([COLOURS[name] for name in names], np.float32) / 255

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        keys = identity_keys(0, FACTOR, [f"{source.name}/{split}/{i}" for i in examples.ids])
        codes = (keys % np.uint64(inks)).astype(np.int64)
        images = np.rint(examples.observations * palette[codes][:, None, None]).astype(np.uint8)
        factors = examples.factors | {FACTOR: codes}
        return dataclasses.replace(examples, observations=images, factors=factors), dead

    return derive_source(
        source,
        change,
        observation_shape=(*source.observation_shape[:2], 3),
        factors=source.factors | {FACTOR: names},
    )
