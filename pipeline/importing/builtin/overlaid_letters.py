"""Letters with overlays, each of a colour of its own: attributes that have looks.

The label is the letter. Each overlay is a factor, present in half the images, independent of all
else. Font, size, place and colours vary from image to image and are no factors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from latentloom.augment.randomness import uniforms
from latentloom.pipeline.importing.builtin.fonts import FEW_FONTS, FEW_LETTERS
from latentloom.pipeline.importing.builtin.grid_sample import DEFAULT_EXAMPLES, sample_cells
from latentloom.pipeline.importing.builtin.grid_source import GridSource
from latentloom.pipeline.importing.builtin.moved_letters import (
    DRAWS,
    FREE_STREAM,
    MovedLetters,
    keys_of,
)
from latentloom.pipeline.importing.overlays import (
    OVERLAYS,
    PRESENCE,
    check_overlays,
    coloured,
    lay_over,
)


def open_overlaid_letters(
    overlays: Sequence[str], image_size: int | None = None, max_examples: int | None = None
) -> GridSource:
    """Chooses the images; renders none yet.

    Args:
        overlays: Names of `OVERLAYS`, different ones.
        image_size: Side in pixels, 32 or 64; 32 by default.
        max_examples: Images to sample, both splits together; 20,000 by default.

    Raises:
        ValueError: If an overlay is unknown or named twice, the size is unknown, or the sample is
            too small to hold every value.
    """
    check_overlays(overlays)
    letters = MovedLetters(image_size)
    factors = {"label": list(FEW_LETTERS)} | dict.fromkeys(overlays, PRESENCE)
    grid = tuple(len(values) for values in factors.values())
    cells = np.arange(np.prod(grid) * DRAWS)
    sampled = sample_cells(
        "overlaid letters", cells, grid, max_examples or DEFAULT_EXAMPLES, repeats=DRAWS
    )
    return GridSource(
        name="letters",
        description=_describe(overlays, sum(map(len, sampled.values()))),
        factors=factors,
        observation_shape=(letters.image_size, letters.image_size, 3),
        cells=sampled,
        render=_renderer(overlays, letters),
        repeats=DRAWS,
    )


def _describe(overlays: Sequence[str], count: int) -> str:
    return (
        f"{len(FEW_LETTERS)} light letters on dark grounds in {len(FEW_FONTS)} fonts, two sizes "
        f"and all hues, half of them with a {', half of them with a '.join(overlays)}, each in a "
        f"hue of its own: {count:,} images (by default 20,000); one in ten is in `test`."
    )


def _renderer(
    overlays: Sequence[str], letters: MovedLetters
) -> Callable[[tuple[np.ndarray, ...]], np.ndarray]:
    """Returns the function that renders codes of the factors and the number of the draw."""
    masks = [OVERLAYS[name](letters.image_size, letters.image_size) for name in overlays]

    def render(codes: tuple[np.ndarray, ...]) -> np.ndarray:
        label, *present, _ = codes
        keys = keys_of("overlaid letters", codes)
        shapes = letters.masks(label, keys)
        draws = uniforms(keys, 4 + len(overlays), FREE_STREAM)
        hues, levels = np.split(draws, [2 + len(overlays)], 1)
        light = coloured(hues[:, 0], 0.3 + 0.5 * levels[:, 0], np.full(len(label), 1.0))
        dark = coloured(hues[:, 1], np.full(len(label), 0.8), 0.1 + 0.2 * levels[:, 1])
        images = dark * (1 - shapes) + light * shapes
        images = np.rint(255 * images).astype(np.uint8)
        for place, mask in enumerate(masks):
            lay_over(images, present[place].astype(bool), mask, hues[:, 2 + place])
        return images

    return render
