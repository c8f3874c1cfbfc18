"""The data that the pictures of a report show, for every kind of observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.pipeline.dataset.examples import Examples

Parts = tuple[str, str]
"""Names of the blocks that carry the class, and names of all other blocks."""


@dataclass(frozen=True)
class ShownExamples:
    """Some examples in groups, such as classes.

    Attributes:
        examples: The examples.
        groups: Rows of the examples of each group, integers of shape `(g,)` each, at least 1.
        titles: One text per group.
        least_columns: Places of a row at least, so that titles fit above few images.
    """

    examples: Examples
    groups: Sequence[np.ndarray]
    titles: Sequence[str]
    least_columns: int = 1


@dataclass(frozen=True)
class ShownVariants:
    """Anchors beside their variants.

    Attributes:
        anchors: The `a` real examples.
        variants: Their variants as stored, `(a, v, ...)`.
        accepted: Whether the gate accepts each, bool of shape `(a, v)`.
        names: Names of all classes.
    """

    anchors: Examples
    variants: np.ndarray
    accepted: np.ndarray
    names: Sequence[str]


@dataclass(frozen=True)
class ShownClass:
    """Real examples of a class beside accepted and rejected variants of it.

    Attributes:
        name: Name of the class.
        title: What to write above it: the name with its counts.
        real: Real examples, `(n, ...)`, at least 1.
        accepted: Accepted variants, `(m, ...)`; there may be none.
        rejected: Rejected variants, `(k, ...)`; there may be none.
        reasons: Why each was rejected, in few words, `k` texts.
    """

    name: str
    title: str
    real: np.ndarray
    accepted: np.ndarray
    rejected: np.ndarray
    reasons: Sequence[str]


@dataclass(frozen=True)
class ShownExchange:
    """Examples that exchange blocks.

    Attributes:
        examples: The `n` real examples.
        cells: The decoded observation of each pair, `(n, n, ...)`: entry `(i, j)` has the class of
            example `i` and the rest of example `j`.
        accepted: Whether the gate accepts each, bool of shape `(n, n)`.
        names: Names of all classes.
        parts: The blocks that give the class, and the blocks that give the rest.
        others: More real observations, `(m, ...)`, to show the distribution of the data.
    """

    examples: Examples
    cells: np.ndarray
    accepted: np.ndarray
    names: Sequence[str]
    parts: Parts
    others: np.ndarray


@dataclass(frozen=True)
class ShownTraversal:
    """One example decoded at steps along axes of a block.

    Attributes:
        steps: Places on an axis in standard deviations of the prior, `(s,)`, ascending, with 0.
        cells: The decoded observation at each step, `(a, s, ...)`.
        accepted: Whether the gate accepts each, bool of shape `(a, s)`.
        axes: Numbers of the axes, `(a,)`.
        labels: One text per axis.
        order: One sentence that says how the axes are sorted.
        others: More real observations, `(m, ...)`, to show the distribution of the data.
    """

    steps: np.ndarray
    cells: np.ndarray
    accepted: np.ndarray
    axes: np.ndarray
    labels: Sequence[str]
    order: str
    others: np.ndarray
