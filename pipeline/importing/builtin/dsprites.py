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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.builtin.grid_sample import DEFAULT_EXAMPLES, sample_cells
from latentloom.pipeline.importing.builtin.sprites import (
    GRID,
    NUM_POSITIONS,
    ORIENTATIONS,
    SCALES,
    SHAPES,
    SIDE,
    render_sprites,
)
from latentloom.pipeline.importing.source import BATCH_SIZE, position_ids

IMAGE_SIZES = (32, 64)
_POSITIONS = [f"{position:.2f}" for position in np.linspace(0, 1, NUM_POSITIONS)]
FACTORS = {
    "label": list(SHAPES),
    "scale": [f"{scale:.1f}" for scale in SCALES],
    "orientation": [str(degrees) for degrees in ORIENTATIONS],
    "x": _POSITIONS,
    "y": _POSITIONS,
}
"""Value names: orientations in degrees, x from the left and y from the top in shares of the way."""


@dataclass(frozen=True)
class DSpritesSource:
    """A keyed sample of the grid of shapes, scales, orientations and positions.

    A position is the cell's number in the whole grid.

    Args:
        image_size: Side of the images in pixels, 32 or 64.
        cells: The sampled cells of each split, ascending.
    """

    image_size: int
    cells: dict[str, np.ndarray]
    name: str = "dsprites"
    label_field: str = "shape"
    observation: str = "image"

    @classmethod
    def open(cls, image_size: int | None = None, max_examples: int | None = None) -> DSpritesSource:
        """Chooses the cells; renders nothing yet.

        Args:
            image_size: Side in pixels; 64 by default.
            max_examples: Cells to sample, both splits together; 20,000 by default, and 737,280
                for the whole grid.

        Raises:
            ValueError: Another size, or a sample too small to hold every value.
        """
        image_size = SIDE if image_size is None else image_size
        if image_size not in IMAGE_SIZES:
            raise ValueError(
                "Source 'dsprites' cannot be rendered at this size. Expected: one of "
                f"{IMAGE_SIZES}. Received: image_size={image_size}. Choose one of them."
            )
        cells = np.arange(np.prod(GRID))
        return cls(
            image_size, sample_cells("dsprites", cells, GRID, max_examples or DEFAULT_EXAMPLES)
        )

    @property
    def factors(self) -> dict[str, list[str]]:
        """Value names of the five factors."""
        return FACTORS

    @property
    def description(self) -> str:
        """What the images are and how they were drawn from the grid."""
        return (
            "A rendering of the factor grid of dSprites (Matthey et al., 2017), not the published "
            "file: three shapes in six scales, 40 orientations and 32 x 32 positions, white on "
            f"black. {sum(self.splits.values()):,} of {np.prod(GRID):,} cells, a keyed sample in "
            "which every value occurs (by default 20,000); one in ten is in `test`. Squares repeat "
            "every 90 degrees, ellipses every 180."
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Event shape of the images."""
        return self.image_size, self.image_size, 1

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: len(cells) for split, cells in self.cells.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split."""
        for start in range(0, len(self.cells[split]), BATCH_SIZE):
            cells = self.cells[split][start : start + BATCH_SIZE]
            codes = np.unravel_index(cells, GRID)
            factors = dict(
                zip(self.factors, (code.astype(np.int64) for code in codes), strict=True)
            )
            images = render_sprites(codes, self.image_size)
            yield Examples(images, factors, position_ids(cells)), []
