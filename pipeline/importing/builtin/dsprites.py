"""A rendering of the factor grid of dSprites, made here; not the published file.

Five factors: the shape (the label), its scale, its orientation, and its place, x and y.

Reference:
    Matthey et al., dSprites: Disentanglement testing Sprites dataset, 2017,
    https://github.com/google-deepmind/dsprites-dataset. As there, images of 64 pixels a side are
    binary, every sprite lies inside its image at every position, and a cell has the number of its
    row. Deviates: the shapes are similar, but not the same. The 40 orientations are 9 degrees
    apart; the published ones go to 360 degrees, so that the last is the first again. A heart turns
    about its centroid, so that its orientation does not move it. A step in x or y is one pixel, not
    32/31. Images of 32 pixels have grey borders.

The images of a square repeat every 90 degrees, and those of an ellipse every 180: only hearts tell
all 40 orientations, ellipses tell 20 and squares 10.
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
"""Value names: orientations in degrees, x from the left and y from the top in shares of the way."""


def open_dsprites(image_size: int | None = None, max_examples: int | None = None) -> GridSource:
    """Chooses the cells; renders nothing yet.

    Args:
        image_size: Side in pixels, 32 or 64; 64 by default.
        max_examples: Cells to sample, both splits together; 20,000 by default, and 737,280 for the
            whole grid.

    Raises:
        ValueError: Another size, or a sample too small to hold every value.
    """
    image_size = SIDE if image_size is None else image_size
    check_image_size("dsprites", image_size)
    cells = np.arange(np.prod(GRID))
    sampled = sample_cells("dsprites", cells, GRID, max_examples or DEFAULT_EXAMPLES)
    return GridSource(
        name="dsprites",
        description=_describe(sum(map(len, sampled.values()))),
        factors=FACTORS,
        image_shape=(image_size, image_size, 1),
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
