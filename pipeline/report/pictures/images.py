"""`ImagePictures` (was `ImagePictures`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.report.pictures.exchange_grid import exchange_grid
from latentloom.pipeline.report.pictures.mosaic import variant_grid
from latentloom.pipeline.report.pictures.protocol import GRID_COLUMNS, Parts, classes_in_turn
from latentloom.pipeline.report.pictures.traversal_sheet import traversal_sheet


class ImagePictures:
    """Images, pixel by pixel."""

    traversal_caption: ClassVar[str] = (
        "In the middle, what the model makes of a real image; left and right of it, the same moved "
        "along one axis a row, by so many standard deviations of the block's prior, all else kept. "
        "{order} Those with a red frame the gate would reject: they may have lost the class."
    )

    def variants(
        self, anchors: Examples, variants: np.ndarray, accepted: np.ndarray, names: Sequence[str]
    ) -> bytes:
        """Draws some anchors of each class, a row each."""
        rows, columns = classes_in_turn(anchors.labels), min(GRID_COLUMNS, variants.shape[1])
        return variant_grid(
            anchors.images[rows],
            variants[rows, :columns],
            titles=[names[int(label)] for label in anchors.labels[rows]],
            accepted=accepted[rows, :columns],
        )

    def exchange(
        self,
        examples: Examples,
        cells: np.ndarray,
        accepted: np.ndarray,
        names: Sequence[str],
        parts: Parts,
        others: np.ndarray,
    ) -> bytes:
        """Draws a grid with the real images at its left and at its top."""
        titles = [names[int(label)] for label in examples.labels]
        return exchange_grid(examples.images, cells, titles, parts, accepted)

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws a row of each."""
        return variant_grid(draws, nearest)

    def clearest(self, observations: np.ndarray) -> int:
        """The first: one image is as good as another."""
        return 0

    def traversal(
        self,
        steps: np.ndarray,
        cells: np.ndarray,
        accepted: np.ndarray,
        axes: np.ndarray,
        labels: Sequence[str],
        others: np.ndarray,
    ) -> bytes:
        """Draws a row an axis."""
        return traversal_sheet(steps, cells, accepted, axes, labels)

    def captions(self, parts: Parts) -> dict[str, str]:
        """What the rows, columns and frames are."""
        carriers, others = parts
        return {
            "variants": "Left, a real image; right of it, its variants before the gate. "
            "Those with a red frame are rejected.",
            "exchange": "At the left and at the top, the same real images; between them, what the "
            f"model makes of the class of the image at the left (its {carriers}) and the rest of "
            f"the image at the top (its {others}). A row should be of one class, a column of one "
            "style; on the diagonal both are of one image. Those with a red frame the gate would "
            "reject.",
        }
