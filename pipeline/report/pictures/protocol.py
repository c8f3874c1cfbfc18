"""How a report shows what was made of observations: one class a kind of observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import rank_in_class

GRID_ROWS = 10
GRID_COLUMNS = 8
MOST_DOTS = 2000
"""Most real vectors in a scatter plot."""

Parts = tuple[str, str]
"""Names of the blocks that carry the class, and of the others."""


class Pictures(Protocol):
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


def classes_in_turn(labels: np.ndarray) -> np.ndarray:
    """Rows of anchors, classes in turn, at most `GRID_ROWS`."""
    turn = rank_in_class(np.arange(len(labels)), labels)
    order = np.lexsort((labels, turn))[:GRID_ROWS]
    return order[np.argsort(labels[order], kind="stable")]
