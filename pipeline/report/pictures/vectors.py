"""`VectorPictures` (was `VectorPictures`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.report.pictures.protocol import MOST_DOTS, Parts
from latentloom.pipeline.report.pictures.scatter import exchange_scatter, variant_scatter
from latentloom.pipeline.report.pictures.traversal_scatter import traversal_scatter


class VectorPictures:
    """Vectors, as dots."""

    traversal_caption: ClassVar[str] = (
        "The large dot is what the model makes of a real vector; small grey ones show where others "
        "lie. A line a colour leads through what becomes of it along one axis, to two standard "
        "deviations of the block's prior either way, all else kept; the number of the axis is at "
        "its upper end. {order} Crosses the gate would reject: they may have lost the class."
    )

    def variants(
        self, anchors: Examples, variants: np.ndarray, accepted: np.ndarray, names: Sequence[str]
    ) -> bytes:
        """Draws anchors in one panel and one variant of each in another."""
        shown = slice(MOST_DOTS)
        return variant_scatter(
            anchors.images[shown],
            anchors.labels[shown],
            variants[shown, 0],
            accepted[shown, 0],
            names,
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
        """Draws arrows from the real vectors to what is made of them."""
        return exchange_scatter(
            examples.images, examples.labels, cells, accepted, others[:MOST_DOTS], names
        )

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Nothing: a dot beside a dot shows no more than the figures tell."""
        return None

    def clearest(self, observations: np.ndarray) -> int:
        """The first: one vector is as good as another."""
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
        """Draws a line an axis."""
        return traversal_scatter(steps, cells, accepted, axes, labels, others[:MOST_DOTS])

    def captions(self, parts: Parts) -> dict[str, str]:
        """What dots, crosses and arrows are."""
        carriers, others = parts
        return {
            "variants": "Left, real vectors, the anchors; right, one variant of each before the "
            "gate, in the colour of the class that it should have. Grey crosses are rejected.",
            "exchange": "Large dots are real vectors, one a class; small grey ones show where "
            "others lie. An arrow leads from each to what the model makes of its class (its "
            f"{carriers}) and the rest of another one (its {others}): a dot of the colour of its "
            "class, with a rim in the colour of the other one. It should lie among its own class. "
            "Crosses the gate would reject.",
        }
