"""The protocol for pictures of observations in a report: one class per kind of observation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from latentloom.pipeline.report.pictures.shown import (
    ShownClass,
    ShownExamples,
    ShownExchange,
    ShownTraversal,
    ShownVariants,
)
from latentloom.pipeline.report.schema import Picture

GRID_ROWS = 10
GRID_COLUMNS = 8
MOST_DOTS = 2000
"""Most real vectors in a scatter plot."""


class Pictures(Protocol):
    """Draws real and generated observations, with captions that explain the pictures."""

    most_of_class: ClassVar[int]
    """Most real examples, accepted and rejected variants of a class that `classes` draws."""

    def examples(self, shown: ShownExamples) -> Picture:
        """Draws some examples, group by group."""
        ...

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws some anchors beside their variants."""
        ...

    def classes(self, shown: Sequence[ShownClass]) -> Picture:
        """Draws real examples, accepted and rejected variants, class by class."""
        ...

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws examples and the decoded observation of each pair."""
        ...

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws one example decoded at steps along axes."""
        ...

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws `n` draws beside their nearest training examples `(n, k, ...)`.

        Returns:
            A PNG file, or None if the kind has no such picture. The caller writes the caption.
        """
        ...

    def clearest(self, observations: np.ndarray) -> int:
        """Row of the observation that shows changes best, for a traversal."""
        ...
