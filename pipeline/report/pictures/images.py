"""Pictures of images, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentloom.pipeline.dataset.sampling import classes_in_turn
from latentloom.pipeline.report.pictures.protocol import GRID_COLUMNS, GRID_ROWS
from latentloom.pipeline.report.pictures.sheets.class_sheet import COLUMNS, class_sheet
from latentloom.pipeline.report.pictures.sheets.example_sheet import example_sheet
from latentloom.pipeline.report.pictures.sheets.exchange_grid import exchange_grid
from latentloom.pipeline.report.pictures.sheets.mosaic import variant_grid
from latentloom.pipeline.report.pictures.sheets.traversal_sheet import traversal_sheet
from latentloom.pipeline.report.pictures.shown import (
    ShownClass,
    ShownExamples,
    ShownExchange,
    ShownTraversal,
    ShownVariants,
)
from latentloom.pipeline.report.schema import Picture

EXAMPLES = "Some images of each group, drawn at random; its number of examples in the title."
VARIANTS = (
    "Left, a real image; right of it, its variants before the gate. A red frame marks rejected "
    "variants."
)
CLASSES = (
    "Of each class, left, real images; in the middle, variants that the gate accepts, as they are "
    "written; right, in red frames, rejected ones, each above the reason."
)
EXCHANGE = (
    "At the left and at the top, the same real images; between them, images decoded from the "
    "class of the image at the left (its {carriers}) and the rest of the image at the top (its "
    "{others}). A row should have one class, a column one style; on the diagonal both come from "
    "one image. The gate would reject those with a red frame."
)
TRAVERSAL = (
    "In the middle, the reconstruction of a real image; left and right, after moving its code "
    "along one axis per row, in standard deviations of the block's prior, with everything else "
    "unchanged. {order} The gate would reject those with a red frame: they may have lost the class."
)


class ImagePictures:
    """Draws images pixel by pixel."""

    most_of_class: ClassVar[int] = COLUMNS

    def examples(self, shown: ShownExamples) -> Picture:
        """Draws one row per group."""
        images = [shown.examples.observations[rows] for rows in shown.groups]
        return Picture(example_sheet(images, shown.titles, shown.least_columns), EXAMPLES)

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws one row per anchor, classes in turn, with its variants."""
        anchors, columns = shown.anchors, min(GRID_COLUMNS, shown.variants.shape[1])
        rows = classes_in_turn(anchors.labels, GRID_ROWS)
        grid = variant_grid(
            anchors.observations[rows],
            shown.variants[rows, :columns],
            titles=[shown.names[int(label)] for label in anchors.labels[rows]],
            accepted=shown.accepted[rows, :columns],
        )
        return Picture(grid, VARIANTS)

    def classes(self, shown: Sequence[ShownClass]) -> Picture:
        """Draws one row per class."""
        return Picture(class_sheet(shown), CLASSES)

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws a grid with the real images at its left and at its top."""
        examples, (carriers, others) = shown.examples, shown.parts
        titles = [shown.names[int(label)] for label in examples.labels]
        grid = exchange_grid(
            examples.observations, shown.cells, titles, shown.parts, shown.accepted
        )
        return Picture(grid, EXCHANGE.format(carriers=carriers, others=others))

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws one row per axis."""
        sheet = traversal_sheet(shown.steps, shown.cells, shown.accepted, shown.axes, shown.labels)
        return Picture(sheet, TRAVERSAL.format(order=shown.order))

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws one row per draw, with its nearest training examples."""
        return variant_grid(draws, nearest)

    def clearest(self, observations: np.ndarray) -> int:
        """The first image; all show changes equally well."""
        return 0
