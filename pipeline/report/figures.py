"""How a report shows what was made of observations: one class a kind of observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from latentloom.pipeline.examples import Examples
from latentloom.pipeline.folds import rank_in_class
from latentloom.pipeline.report.exchange_grid import exchange_grid
from latentloom.pipeline.report.mosaic import variant_grid
from latentloom.pipeline.report.scatter import exchange_scatter, variant_scatter
from latentloom.pipeline.report.traversal_scatter import traversal_scatter
from latentloom.pipeline.report.traversal_sheet import traversal_sheet

GRID_ROWS = 10
GRID_COLUMNS = 8
MOST_DOTS = 2000
"""Most real vectors in a scatter plot."""

Parts = tuple[str, str]
"""Names of the blocks that carry the class, and of the others."""


class Figures(Protocol):
    """The pictures of what was made, as PNG files, with what is written below them."""

    traversal_caption: ClassVar[str]
    """What to write below `traversal`; `{order}` stands for what its axes are sorted by."""

    def variants(
        self, anchors: Examples, variants: np.ndarray, accepted: np.ndarray, names: Sequence[str]
    ) -> bytes:
        """Draws anchors, `a` of them, beside variants `(a, v, ...)`, accepted or not `(a, v)`."""
        ...

    def exchange(
        self,
        examples: Examples,
        cells: np.ndarray,
        accepted: np.ndarray,
        names: Sequence[str],
        parts: Parts,
        others: np.ndarray,
    ) -> bytes:
        """Draws `n` examples and what is made of each pair, `(n, n, ...)`, among other real ones.

        The first axis counts the example that gave the class, the second that which gave the rest.
        """
        ...

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws `n` draws beside their nearest training examples `(n, k, ...)`, or nothing."""
        ...

    def clearest(self, observations: np.ndarray) -> int:
        """Row of that on which changes show best, to draw a traversal of."""
        ...

    def traversal(
        self,
        steps: np.ndarray,
        cells: np.ndarray,
        accepted: np.ndarray,
        axes: np.ndarray,
        labels: Sequence[str],
        others: np.ndarray,
    ) -> bytes:
        """Draws what is made of one example on its way along `a` axes, among other real ones.

        Steps `(s,)` in standard deviations, cells `(a, s, ...)`, accepted or not `(a, s)`, numbers
        of the axes `(a,)` and a label of each.
        """
        ...

    def captions(self, parts: Parts) -> dict[str, str]:
        """What to write below `variants` and below `exchange`."""
        ...


class Mosaics:
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


class ScatterPlots:
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


def classes_in_turn(labels: np.ndarray) -> np.ndarray:
    """Rows of anchors, classes in turn, at most `GRID_ROWS`."""
    turn = rank_in_class(np.arange(len(labels)), labels)
    order = np.lexsort((labels, turn))[:GRID_ROWS]
    return order[np.argsort(labels[order], kind="stable")]
