"""Pictures of vectors, as dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentloom.pipeline.report.pictures.protocol import MOST_DOTS
from latentloom.pipeline.report.pictures.scatter import (
    class_scatter,
    example_scatter,
    exchange_scatter,
    variant_scatter,
)
from latentloom.pipeline.report.pictures.shown import (
    ShownClass,
    ShownExamples,
    ShownExchange,
    ShownTraversal,
    ShownVariants,
)
from latentloom.pipeline.report.pictures.traversal_scatter import traversal_scatter
from latentloom.pipeline.report.schema import Picture

EXAMPLES = "Some vectors of each group, drawn at random, as dots in the colour of their group."
VARIANTS = (
    "Left, real vectors, the anchors; right, one variant of each before the gate, in the colour of "
    "its planned class. Grey crosses mark rejected variants."
)
CLASSES = (
    "Left, real vectors; in the middle, variants that the gate accepts, as they are written; "
    "right, rejected ones; all in the colour of their class."
)
EXCHANGE = (
    "Large dots are real vectors, one per class; small grey dots are other real vectors. An arrow "
    "leads from each large dot to a vector decoded from its class (its {carriers}) and the rest of "
    "another (its {others}): a dot in the colour of its class, with a rim in the colour of the "
    "other. It should lie among its own class. The gate would reject crosses."
)
TRAVERSAL = (
    "The large dot is the reconstruction of a real vector; small grey dots are other real vectors. "
    "Each line moves its code along one axis, up to two standard deviations of the block's prior "
    "either way, with everything else unchanged; the number of the axis is at the positive end. "
    "{order} The gate would reject crosses: they may have lost the class."
)


class VectorPictures:
    """Draws vectors as dots."""

    most_of_class: ClassVar[int] = 200

    def examples(self, shown: ShownExamples) -> Picture:
        """Draws all vectors in one panel, each group in its colour."""
        vectors = shown.examples.observations[np.concatenate(shown.groups)]
        groups = np.repeat(np.arange(len(shown.groups)), [len(rows) for rows in shown.groups])
        return Picture(example_scatter(vectors, groups, shown.titles), EXAMPLES)

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws anchors in one panel and one variant of each in another."""
        some = slice(MOST_DOTS)
        dots = variant_scatter(
            shown.anchors.observations[some],
            shown.anchors.labels[some],
            shown.variants[some, 0],
            shown.accepted[some, 0],
            shown.names,
        )
        return Picture(dots, VARIANTS)

    def classes(self, shown: Sequence[ShownClass]) -> Picture:
        """Draws real vectors, accepted and rejected variants in three panels."""
        panels = {
            "real": [some.real for some in shown],
            "accepted": [some.accepted for some in shown],
            "rejected": [some.rejected for some in shown],
        }
        return Picture(class_scatter(panels, [some.name for some in shown]), CLASSES)

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws arrows from the real vectors to the decoded vectors."""
        examples, (carriers, others) = shown.examples, shown.parts
        arrows = exchange_scatter(
            examples.observations,
            examples.labels,
            shown.cells,
            shown.accepted,
            shown.others[:MOST_DOTS],
            shown.names,
        )
        return Picture(arrows, EXCHANGE.format(carriers=carriers, others=others))

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws one line per axis."""
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
        """Returns None: a dot beside a dot shows no more than the figures."""
        return None

    def clearest(self, observations: np.ndarray) -> int:
        """The first vector; all show changes equally well."""
        return 0
