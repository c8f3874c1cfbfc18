"""How a report shows what was made of observations: one class a kind of observation."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from latentloom.pipeline.report.pictures.shown import ShownExchange, ShownTraversal, ShownVariants
from latentloom.pipeline.report.schema import Picture

GRID_ROWS = 10
GRID_COLUMNS = 8
MOST_DOTS = 2000
"""Most real vectors in a scatter plot."""


class Pictures(Protocol):
    """The pictures of what was made, with captions that say what there is to see."""

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws some anchors beside their variants."""
        ...

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws examples and what is made of each pair."""
        ...

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws what is made of one example on its way along axes."""
        ...

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws `n` draws beside their nearest training examples `(n, k, ...)`, or nothing.

        Returns:
            A PNG file; where draws come from is for the caller to say below it.
        """
        ...

    def clearest(self, observations: np.ndarray) -> int:
        """Row of the observation on which changes show best, to draw a traversal of."""
        ...
