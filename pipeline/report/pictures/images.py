"""Pictures of images, pixel by pixel."""

from __future__ import annotations

import numpy as np

from latentloom.pipeline.dataset.sampling import classes_in_turn
from latentloom.pipeline.report.pictures.protocol import GRID_COLUMNS, GRID_ROWS
from latentloom.pipeline.report.pictures.sheets.exchange_grid import exchange_grid
from latentloom.pipeline.report.pictures.sheets.mosaic import variant_grid
from latentloom.pipeline.report.pictures.sheets.traversal_sheet import traversal_sheet
from latentloom.pipeline.report.pictures.shown import ShownExchange, ShownTraversal, ShownVariants
from latentloom.pipeline.report.schema import Picture

VARIANTS = (
    "Left, a real image; right of it, its variants before the gate. Those with a red frame are "
    "rejected."
)
EXCHANGE = (
    "At the left and at the top, the same real images; between them, what the model makes of the "
    "class of the image at the left (its {carriers}) and the rest of the image at the top (its "
    "{others}). A row should be of one class, a column of one style; on the diagonal both are of "
    "one image. Those with a red frame the gate would reject."
)
TRAVERSAL = (
    "In the middle, what the model makes of a real image; left and right of it, the same moved "
    "along one axis a row, by so many standard deviations of the block's prior, all else kept. "
    "{order} Those with a red frame the gate would reject: they may have lost the class."
)


class ImagePictures:
    """Images, pixel by pixel."""

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws some anchors of each class, a row each."""
        anchors, columns = shown.anchors, min(GRID_COLUMNS, shown.variants.shape[1])
        rows = classes_in_turn(anchors.labels, GRID_ROWS)
        grid = variant_grid(
            anchors.images[rows],
            shown.variants[rows, :columns],
            titles=[shown.names[int(label)] for label in anchors.labels[rows]],
            accepted=shown.accepted[rows, :columns],
        )
        return Picture(grid, VARIANTS)

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws a grid with the real images at its left and at its top."""
        examples, (carriers, others) = shown.examples, shown.parts
        titles = [shown.names[int(label)] for label in examples.labels]
        grid = exchange_grid(examples.images, shown.cells, titles, shown.parts, shown.accepted)
        return Picture(grid, EXCHANGE.format(carriers=carriers, others=others))

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws a row an axis."""
        sheet = traversal_sheet(shown.steps, shown.cells, shown.accepted, shown.axes, shown.labels)
        return Picture(sheet, TRAVERSAL.format(order=shown.order))

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws a row of each."""
        return variant_grid(draws, nearest)

    def clearest(self, observations: np.ndarray) -> int:
        """The first: one image is as good as another."""
        return 0
