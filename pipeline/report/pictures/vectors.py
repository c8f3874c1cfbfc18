"""Pictures of vectors, as dots."""

from __future__ import annotations

import numpy as np

from latentloom.pipeline.report.pictures.protocol import MOST_DOTS
from latentloom.pipeline.report.pictures.scatter import exchange_scatter, variant_scatter
from latentloom.pipeline.report.pictures.shown import ShownExchange, ShownTraversal, ShownVariants
from latentloom.pipeline.report.pictures.traversal_scatter import traversal_scatter
from latentloom.pipeline.report.schema import Picture

VARIANTS = (
    "Left, real vectors, the anchors; right, one variant of each before the gate, in the colour of "
    "the class that it should have. Grey crosses are rejected."
)
EXCHANGE = (
    "Large dots are real vectors, one a class; small grey ones show where others lie. An arrow "
    "leads from each to what the model makes of its class (its {carriers}) and the rest of another "
    "one (its {others}): a dot of the colour of its class, with a rim in the colour of the other "
    "one. It should lie among its own class. Crosses the gate would reject."
)
TRAVERSAL = (
    "The large dot is what the model makes of a real vector; small grey ones show where others "
    "lie. A line a colour leads through what becomes of it along one axis, to two standard "
    "deviations of the block's prior either way, all else kept; the number of the axis is at its "
    "upper end. {order} Crosses the gate would reject: they may have lost the class."
)


class VectorPictures:
    """Vectors, as dots."""

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws anchors in one panel and one variant of each in another."""
        some = slice(MOST_DOTS)
        dots = variant_scatter(
            shown.anchors.images[some],
            shown.anchors.labels[some],
            shown.variants[some, 0],
            shown.accepted[some, 0],
            shown.names,
        )
        return Picture(dots, VARIANTS)

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws arrows from the real vectors to what is made of them."""
        examples, (carriers, others) = shown.examples, shown.parts
        arrows = exchange_scatter(
            examples.images,
            examples.labels,
            shown.cells,
            shown.accepted,
            shown.others[:MOST_DOTS],
            shown.names,
        )
        return Picture(arrows, EXCHANGE.format(carriers=carriers, others=others))

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws a line an axis."""
        lines = traversal_scatter(
            shown.steps,
            shown.cells,
            shown.accepted,
            shown.axes,
            shown.labels,
            shown.others[:MOST_DOTS],
        )
        return Picture(lines, TRAVERSAL.format(order=shown.order))

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Nothing: a dot beside a dot shows no more than the figures tell."""
        return None

    def clearest(self, observations: np.ndarray) -> int:
        """The first: one vector is as good as another."""
        return 0
