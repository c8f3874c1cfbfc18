"""A rendering of the factor grid of dSprites, not the published file.

Five factors: the shape (the label), its scale, its orientation, and its position, x and y.

Reference:
    Matthey et al., dSprites: Disentanglement testing Sprites dataset, 2017,
    https://github.com/google-deepmind/dsprites-dataset. As in the published file, images of 64 x 64
    pixels are binary, every sprite lies inside its image at every position, and the number of a
    cell is its row in the published file. Deviates: the shapes are similar, but not the same. The
    40 orientations are 9 degrees apart; the published orientations end at 360 degrees, so the last
    repeats the first. A heart turns about its centroid, so its orientation does not move it. A step
    in x or y is one pixel, not 32/31. Images of 32 x 32 pixels have grey borders.

A square repeats every 90 degrees and an ellipse every 180: images show all 40 orientations of a
heart, 20 of an ellipse and 10 of a square.
"""

from __future__ import annotations

import functools

import numpy as np

from latentloom.pipeline.importing.builtin.grid_sample import DEFAULT_EXAMPLES, sample_cells
from latentloom.pipeline.importing.builtin.grid_source import GridSource, check_image_size
from latentloom.pipeline.importing.builtin.sprites import (
    GRID,
    NUM_POSITIONS,
    ORIENTATIONS,
    SCALES,
    SHAPES,
    SIDE,
    render_sprites,
)

_POSITIONS = [f"{position:.2f}" for position in np.linspace(0, 1, NUM_POSITIONS)]
FACTORS = {
    "label": list(SHAPES),
    "scale": [f"{scale:.1f}" for scale in SCALES],
    "orientation": [str(degrees) for degrees in ORIENTATIONS],
    "x": _POSITIONS,
    "y": _POSITIONS,
}
"""Value names: orientations in degrees, x from the left and y from the top in `[0, 1]`."""


def open_dsprites(image_size: int | None = None, max_examples: int | None = None) -> GridSource:
    """Chooses the cells; renders nothing yet.

    Args:
        image_size: Side in pixels, 32 or 64; 64 by default.
        max_examples: Cells to sample, both splits together; 20,000 by default, and 737,280 for the
            whole grid.

    Raises:
        ValueError: If the size is unknown, or the sample is too small to hold every value.
    """
    image_size = SIDE if image_size is None else image_size
    check_image_size("dsprites", image_size)
    cells = np.arange(np.prod(GRID))
    sampled = sample_cells("dsprites", cells, GRID, max_examples or DEFAULT_EXAMPLES)
    return GridSource(
        name="dsprites",
        description=_describe(sum(map(len, sampled.values()))),
        factors=FACTORS,
        observation_shape=(image_size, image_size, 1),
        cells=sampled,
        render=functools.partial(render_sprites, image_size=image_size),
        label_field="shape",
    )


def _describe(count: int) -> str:
    return (
        "A rendering of the factor grid of dSprites (Matthey et al., 2017), not the published "
        "file: three shapes in six scales, 40 orientations and 32 x 32 positions, white on "
        f"black. {count:,} of {np.prod(GRID):,} cells, a keyed sample in "
        "which every value occurs (by default 20,000); one in ten is in `test`. Squares repeat "
        "every 90 degrees, ellipses every 180."
    )
