"""Lays marks over images, each of a hue of its own: attributes that have looks, in known pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from latentloom.augment.randomness import identity_keys, uniforms
from latentloom.augment.spelling import nearest
from latentloom.pipeline.importing.derived import Batch, derive_source, with_channels
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS

PRESENCE = ["none", "present"]
UNIT = 32
"""Parts of a side in which marks are measured."""


def frame_mask(height: int, width: int) -> np.ndarray:
    """Pixels of the frame around an image, 2 of 32 parts wide, bool `(height, width)`."""
    mask = np.ones((height, width), bool)
    mask[_part(2, height) : -_part(2, height), _part(2, width) : -_part(2, width)] = False
    return mask


def bar_mask(height: int, width: int) -> np.ndarray:
    """Pixels of the bar near the bottom, 4 of 32 parts high, bool `(height, width)`."""
    mask = np.zeros((height, width), bool)
    top = 26 * height // UNIT
    mask[top : top + _part(4, height), _part(4, width) : -_part(4, width)] = True
    return mask


def _part(parts: int, side: int) -> int:
    return max(1, parts * side // UNIT)


OVERLAYS: dict[str, Callable[[int, int], np.ndarray]] = {"frame": frame_mask, "bar": bar_mask}
"""Pixels of each mark, given height and width; later ones lie over earlier ones."""


def check_overlays(overlays: Sequence[str]) -> None:
    """Checks names of `OVERLAYS`.

    Raises:
        ValueError: One is unknown or stands twice.
    """
    for name in overlays:
        if name not in OVERLAYS or list(overlays).count(name) > 1:
            raise ValueError(
                f"'{name}' is no overlay, or is named twice. Expected: different ones of "
                f"{', '.join(OVERLAYS)}. Received: overlays={','.join(overlays)}. "
                f"{nearest(name, OVERLAYS)}"
            )


def overlay(source: Source, overlays: Sequence[str]) -> Source:
    """Lays marks over images, each on half of them, whatever their class; each is a factor.

    The position of an image keys its marks and their hues. Grey images become RGB.

    Args:
        source: Images.
        overlays: Names of `OVERLAYS`, different ones.

    Raises:
        ValueError: A name is unknown, stands twice or is that of a factor, or there are no images.
    """
    check_overlays(overlays)
    kind = KINDS[source.observation]
    if not kind.can_resize or set(overlays) & set(source.factors):
        raise ValueError(
            f"Source '{source.name}' is unfit for overlays. Expected: images without factors "
            f"{', '.join(overlays)}. Received: {kind.many} of shape {source.observation_shape} "
            f"with {list(source.factors)}. Drop --overlays."
        )
    if source.observation_shape[-1] == 1:
        source = with_channels(source, 3)
    masks = {name: OVERLAYS[name](*source.observation_shape[:2]) for name in overlays}

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        images, factors = examples.observations.copy(), dict(examples.factors)
        ids = [f"{source.name}/{split}/{position}" for position in examples.ids]
        for name, mask in masks.items():
            draws = uniforms(identity_keys(0, f"overlay {name}", ids), 2)
            factors[name] = (draws[:, 0] < 0.5).astype(np.int64)
            lay_over(images, factors[name].astype(bool), mask, draws[:, 1])
        return dataclasses.replace(examples, observations=images, factors=factors), dead

    factors = source.factors | dict.fromkeys(overlays, PRESENCE)
    return derive_source(source, change, factors=factors)


def lay_over(images: np.ndarray, shown: np.ndarray, mask: np.ndarray, hues: np.ndarray) -> None:
    """Lays a mark over some images, in place.

    Args:
        images: uint8 `(n, height, width, 3)`.
        shown: Which images get it, bool `(n,)`.
        mask: Its pixels, bool `(height, width)`.
        hues: Its hue on every image, `(n,)` in `[0, 1]`.
    """
    bright = coloured(hues, np.full(len(hues), 0.9), np.ones(len(hues)))
    levels = np.rint(255 * bright[:, 0]).astype(np.uint8)
    rows = np.flatnonzero(shown)
    down, right = np.nonzero(mask)
    images[rows[:, None], down, right] = levels[rows]


def coloured(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Turns hue, saturation and value, `(n,)` in `[0, 1]`, to RGB of `(n, 1, 1, 3)` in `[0, 1]`."""
    sector = (np.array([5.0, 3.0, 1.0]) + 6 * hue[:, None]) % 6
    share = np.clip(np.minimum(sector, 4 - sector), 0, 1)
    rgb = value[:, None] * (1 - saturation[:, None] * share)
    return rgb[:, None, None]
