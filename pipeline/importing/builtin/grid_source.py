"""A source that renders a keyed sample of a factor grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.source import batch_size, position_ids

IMAGE_SIZES = (32, 64)


@dataclass(frozen=True)
class GridSource:
    """Cells of a factor grid, rendered in batches.

    The position of an example is the number of its cell in the whole grid.

    Args:
        name: Name of the source.
        description: Describes the images and how they were drawn from the grid.
        factors: Value names of each factor; `"label"` first. Each factor is an axis of the grid.
        observation_shape: Event shape `(height, width, channels)` of the images.
        cells: The sampled cells of each split, ascending.
        render: Renders codes of the factors, one int64 array of shape `(batch_size,)` per factor,
            as uint8 images `(batch_size, height, width, channels)`.
        repeats: Examples of every cell; if there are several, their number is the last axis of the
            grid and of the codes.
    """

    name: str
    description: str
    factors: dict[str, list[str]]
    observation_shape: tuple[int, int, int]
    cells: dict[str, np.ndarray]
    render: Callable[[tuple[np.ndarray, ...]], np.ndarray]
    label_field: str = "label"
    observation: str = "image"
    repeats: int = 1

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: len(cells) for split, cells in self.cells.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split."""
        size = batch_size(self)
        grid = tuple(len(values) for values in self.factors.values())
        grid += (self.repeats,) if self.repeats > 1 else ()
        for start in range(0, len(self.cells[split]), size):
            cells = self.cells[split][start : start + size]
            codes = tuple(axis.astype(np.int64) for axis in np.unravel_index(cells, grid))
            factors = dict(zip(self.factors, codes, strict=self.repeats == 1))
            yield Examples(self.render(codes), factors, position_ids(cells)), []


def check_image_size(name: str, image_size: int) -> None:
    """Checks that a source renders images of this size.

    Args:
        name: Name of the source.
        image_size: Side in pixels.

    Raises:
        ValueError: If the size is not in `IMAGE_SIZES`.
    """
    if image_size not in IMAGE_SIZES:
        raise ValueError(
            f"Source '{name}' does not render images of this size. Expected: one of "
            f"{IMAGE_SIZES}. Received: image_size={image_size}. Choose one of them."
        )
