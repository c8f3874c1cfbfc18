"""Letters in domains, each of looks of its own, for translation between them.

The label is the letter, the factor `domain` how it is rendered, independent of the letter. Font,
size, place, levels and hues vary from image to image and are no factors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.augment.randomness import uniforms
from latentloom.pipeline.importing import domains as renderings
from latentloom.pipeline.importing.builtin.fonts import FEW_FONTS, FEW_LETTERS
from latentloom.pipeline.importing.builtin.grid_sample import DEFAULT_EXAMPLES, sample_cells
from latentloom.pipeline.importing.builtin.grid_source import GridSource
from latentloom.pipeline.importing.builtin.moved_letters import (
    DRAWS,
    FREE_STREAM,
    MovedLetters,
    keys_of,
)

NAME = "letters in domains"
"""Keys the sample and the images."""


def open_domain_letters(
    domains: Sequence[str], image_size: int | None = None, max_examples: int | None = None
) -> GridSource:
    """Chooses the images; renders none yet.

    Args:
        domains: Names of `DOMAINS`, two different ones or more.
        image_size: Side in pixels, 32 or 64; 32 by default.
        max_examples: Images to sample, both splits together; 20,000 by default.

    Raises:
        ValueError: If a domain is unknown or named twice, there is only one, the size is unknown,
            or the sample is too small to hold every value.
    """
    renderings.check_domains(domains)
    letters = MovedLetters(image_size)
    factors = {"label": list(FEW_LETTERS), renderings.FACTOR: list(domains)}
    grid = tuple(len(values) for values in factors.values())
    cells = np.arange(np.prod(grid) * DRAWS)
    sampled = sample_cells(NAME, cells, grid, max_examples or DEFAULT_EXAMPLES, repeats=DRAWS)

    def render(codes: tuple[np.ndarray, ...]) -> np.ndarray:
        label, domain, _ = codes
        keys = keys_of(NAME, codes)
        draws = uniforms(keys, renderings.DRAWS, FREE_STREAM)
        return renderings.render(domains, domain, letters.masks(label, keys), draws)

    return GridSource(
        name="letters",
        description=_describe(domains, sum(map(len, sampled.values()))),
        factors=factors,
        observation_shape=(letters.image_size, letters.image_size, 3),
        cells=sampled,
        render=render,
        repeats=DRAWS,
    )


def _describe(domains: Sequence[str], count: int) -> str:
    return (
        f"{len(FEW_LETTERS)} letters in {len(FEW_FONTS)} fonts and two sizes, rendered in the "
        f"domains {', '.join(domains)}, each with free levels or hues: {count:,} images (by "
        "default 20,000); one in ten is in `test`."
    )
