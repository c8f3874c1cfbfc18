"""What the pictures of a report show, whatever the kind of observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.dataset.examples import Examples

Parts = tuple[str, str]
"""Names of the blocks that carry the class, and of the others."""


@dataclass(frozen=True)
class ShownVariants:
    """Anchors beside their variants.

    Attributes:
        anchors: The real examples, `a` of them.
        variants: Their variants as they are stored, `(a, v, ...)`.
        accepted: Whether the gate accepts each, bool of shape `(a, v)`.
        names: Names of all classes.
    """

    anchors: Examples
    variants: np.ndarray
    accepted: np.ndarray
    names: Sequence[str]


@dataclass(frozen=True)
class ShownExchange:
    """Examples that exchange blocks.

    Attributes:
        examples: The real examples, `n` of them.
        cells: What is made of each pair, `(n, n, ...)`: the first axis counts the example that gave
            the class, the second the one that gave the rest.
        accepted: Whether the gate accepts each, bool of shape `(n, n)`.
        names: Names of all classes.
        parts: The blocks that gave the class, and those that gave the rest.
        others: More real observations, `(m, ...)`, to show where such lie.
    """

    examples: Examples
    cells: np.ndarray
    accepted: np.ndarray
    names: Sequence[str]
    parts: Parts
    others: np.ndarray


@dataclass(frozen=True)
class ShownTraversal:
    """One example on its way along axes of a block.

    Attributes:
        steps: Places on an axis in standard deviations of the prior, `(s,)`, ascending with 0.
        cells: What is made at each, `(a, s, ...)`.
        accepted: Whether the gate accepts each, bool of shape `(a, s)`.
        axes: Numbers of the axes, `(a,)`.
        labels: A text an axis.
        order: One sentence that says what the axes are sorted by.
        others: More real observations, `(m, ...)`, to show where such lie.
    """

    steps: np.ndarray
    cells: np.ndarray
    accepted: np.ndarray
    axes: np.ndarray
    labels: Sequence[str]
    order: str
    others: np.ndarray
