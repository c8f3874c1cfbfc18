"""Renders grey shapes in domains, which look different throughout: grey, coloured, in outlines.

Each takes what is bright for a shape and what is dark for its ground. Its levels and hues are drawn
for each image, so a domain has many looks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from latentloom.augment.randomness import identity_keys, integers, uniforms
from latentloom.augment.spelling import nearest
from latentloom.pipeline.importing.derived import Batch, derive_source
from latentloom.pipeline.importing.overlays import UNIT, coloured
from latentloom.pipeline.importing.source import Source
from latentloom.pipeline.observations import KINDS

FACTOR = "domain"
"""Name of the factor that tells the domain."""
DRAWS = 4
"""Uniform numbers that the looks of an image need."""
_DOMAIN, _LOOKS = range(2)


def render_plain(shapes: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Light grey on nearly black; both levels are free."""
    light, dark = 0.6 + 0.4 * draws[:, 0], 0.15 * draws[:, 1]
    return _blended(shapes, *(level[:, None, None, None] for level in (light, dark)))


def render_colour(shapes: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """A dark ink on a saturated ground; the hues and the brightness of both are free."""
    saturated = np.full(len(draws), 0.8)
    ink = coloured(draws[:, 0], saturated, 0.05 + 0.25 * draws[:, 1])
    return _blended(shapes, ink, coloured(draws[:, 2], saturated, 0.65 + 0.35 * draws[:, 3]))


def render_outline(shapes: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The outlines of bright shapes in a colour on white; its hue and brightness are free."""
    ink = coloured(draws[:, 0], np.full(len(draws), 0.9), 0.4 + 0.4 * draws[:, 1])
    return _blended(_outlines(shapes), ink, np.ones((1, 1, 1, 1)))


DOMAINS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "plain": render_plain,
    "colour": render_colour,
    "outline": render_outline,
}
"""Renders shapes `(n, height, width, 1)` in `[0, 1]`, given uniform numbers `(n, DRAWS)`, as RGB
`(n, height, width, 3)` in `[0, 1]`."""


def check_domains(domains: Sequence[str]) -> None:
    """Checks names of `DOMAINS`.

    Raises:
        ValueError: One is unknown or stands twice, or there are fewer than two.
    """
    for name in domains:
        if name not in DOMAINS or list(domains).count(name) > 1:
            raise ValueError(
                f"'{name}' is no domain, or is named twice. Expected: different ones of "
                f"{', '.join(DOMAINS)}. Received: domains={','.join(domains)}. "
                f"{nearest(name, DOMAINS)}"
            )
    if len(domains) < 2:
        raise ValueError(
            f"There are too few domains. Expected: two or more of {', '.join(DOMAINS)}. Received: "
            f"domains={','.join(domains)}. Name another."
        )


def render(
    domains: Sequence[str], codes: np.ndarray, shapes: np.ndarray, draws: np.ndarray
) -> np.ndarray:
    """Renders each shape in its domain.

    Args:
        domains: Names of `DOMAINS`.
        codes: Position among them of the domain of each image, `(n,)`.
        shapes: Shapes `(n, height, width, 1)` in `[0, 1]`.
        draws: Uniform numbers, `(n, DRAWS)`.

    Returns:
        Images, `(n, height, width, 3)` uint8.
    """
    images = np.empty((*shapes.shape[:3], 3), np.uint8)
    for place, name in enumerate(domains):
        rows = np.flatnonzero(codes == place)
        images[rows] = np.rint(255 * DOMAINS[name](shapes[rows], draws[rows]))
    return images


def render_source(source: Source, domains: Sequence[str]) -> Source:
    """Renders grey images in domains, all as likely, whatever their class; adds the factor.

    The position of an image keys its domain and its looks.

    Args:
        source: Grey images.
        domains: Names of `DOMAINS`, two different ones or more.

    Raises:
        ValueError: A name is unknown or stands twice, there are too few, the images are not grey,
            or the factor exists.
    """
    check_domains(domains)
    kind = KINDS[source.observation]
    if not kind.can_resize or source.observation_shape[-1] != 1 or FACTOR in source.factors:
        raise ValueError(
            f"Source '{source.name}' is unfit for domains. Expected: grey images without a factor "
            f"'{FACTOR}'. Received: {kind.many} of shape {source.observation_shape} with "
            f"{list(source.factors)}. Pass --channels 1 for images in colour, or drop --domains."
        )

    def change(split: str, batch: Batch) -> Batch:
        examples, dead = batch
        ids = [f"{source.name}/{split}/{position}" for position in examples.ids]
        keys = identity_keys(0, FACTOR, ids)
        codes = integers(keys, len(domains), _DOMAIN)
        draws = uniforms(keys, DRAWS, _LOOKS)
        images = render(domains, codes, examples.observations / 255, draws)
        factors = examples.factors | {FACTOR: codes}
        return dataclasses.replace(examples, observations=images, factors=factors), dead

    return derive_source(
        source,
        change,
        observation_shape=(*source.observation_shape[:2], 3),
        factors=source.factors | {FACTOR: list(domains)},
    )


def _blended(shapes: np.ndarray, ink: np.ndarray, ground: np.ndarray) -> np.ndarray:
    return ground * (1 - shapes) + ink * shapes


def _outlines(shapes: np.ndarray) -> np.ndarray:
    """What lies around bright shapes, one of 32 parts of a side wide."""
    grown = shapes
    for axis in (1, 2):
        reach = max(1, shapes.shape[axis] // UNIT)
        widths = [(0, 0)] * 4
        widths[axis] = (reach, reach)
        padded = np.pad(grown, widths, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
        grown = windows.max(axis=-1)
    return grown - shapes
