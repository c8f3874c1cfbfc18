"""Finds examples that share the value of a factor, and rejects data that allows no groups."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence

import numpy as np

logger = logging.getLogger(__name__)

CANDIDATES = 16
"""Number of draws, the best of which becomes the sharer."""
MOST_CELLS = 20_000
"""Number of cells of the grid in which `Sharers.lone_factors` searches."""
_CELLS_AT_ONCE = 64


class Sharers:
    """Draws examples that share the value of one factor with others, and as few more as possible.

    Args:
        factors: Value indices of the factors that have a block, `(n,)` integers each.
        sizes: Number of values of each factor, in the order of the blocks.

    Raises:
        ValueError: A factor is missing or has one value, or two factors never vary apart.
    """

    def __init__(self, factors: Mapping[str, np.ndarray], sizes: Mapping[str, int]):
        self.names = list(sizes)
        self.codes = columns(factors, self.names)
        self.order = np.argsort(self.codes, axis=0, kind="stable")
        self.counts = np.zeros((len(sizes), max(sizes.values())), np.int64)
        for axis, codes in enumerate(self.codes.T):
            self.counts[axis] = np.bincount(codes, minlength=self.counts.shape[1])
        self.starts = np.cumsum(self.counts, axis=1) - self.counts
        self._check_values()
        check_apart(self.names, self.codes, "model.args.block_dims")

    def _check_values(self) -> None:
        for name, counts in zip(self.names, self.counts, strict=True):
            values, single = np.flatnonzero(counts), np.flatnonzero(counts == 1)
            if len(values) < 2:
                raise ValueError(
                    f"Factor '{name}' has one value in the training examples. Expected: two or "
                    f"more, so that its block can learn. Received: value {values[0]} in "
                    f"all {len(self.codes)} examples. Leave '{name}' out of "
                    "`model.args.block_dims`, or add examples of another value."
                )
            if len(single):
                logger.warning(
                    "Factor '%s' has too few training examples: %d of %d values have only one, for "
                    "example value %d. Such an example is its own sharer.",
                    name,
                    len(single),
                    len(values),
                    single[0],
                )

    def lone_factors(self) -> list[str]:
        """Returns the factors that some two examples share without sharing any other.

        Searches up to `MOST_CELLS` cells of the grid.
        """
        cells = np.unique(self.codes, axis=0)
        if len(cells) > MOST_CELLS:
            generator = np.random.Generator(np.random.Philox(key=0))
            cells = cells[generator.permutation(len(cells))[:MOST_CELLS]]
        found = np.zeros(len(self.names), bool)
        for start in range(0, len(cells), _CELLS_AT_ONCE):
            shared = cells[start : start + _CELLS_AT_ONCE, None] == cells
            alone = shared & (shared.sum(axis=-1, keepdims=True) == 1)
            found |= alone.any(axis=(0, 1))
            if found.all():
                break
        return [name for name, is_found in zip(self.names, found, strict=True) if is_found]

    def know(self, codes: np.ndarray) -> np.ndarray:
        """Returns `(n,)` booleans: whether all values of codes `(n, factors)` occur here."""
        axes = np.arange(len(self.names))
        return np.all(self.counts[axes, codes] > 0, axis=1)

    def draw(
        self, codes: np.ndarray, rows: np.ndarray | None, axes: np.ndarray, uniforms: np.ndarray
    ) -> np.ndarray:
        """Draws a sharer for every centre and every factor in `axes`.

        Keeps the best of `CANDIDATES` draws: it shares the fewest factors with the centre. Being
        the centre itself counts as one factor more.

        Args:
            codes: Factor values of the centres, `(batch, factors)`, all known here.
            rows: Positions of the centres among these examples, `(batch,)`, or `None`.
            axes: Positions of the factors to share, `(batch, k)`.
            uniforms: `(batch, k, CANDIDATES)` floats in `[0, 1)`, the random numbers.

        Returns:
            Positions of the sharers, `(batch, k)`.
        """
        values = np.take_along_axis(codes, axes, axis=1)
        counts, starts = self.counts[axes, values], self.starts[axes, values]
        places = starts[..., None] + (uniforms * counts[..., None]).astype(np.int64)
        candidates = self.order[places, axes[..., None]]
        flaws = (self.codes[candidates] == codes[:, None, None]).sum(axis=-1)
        if rows is not None:
            flaws += candidates == rows[:, None, None]
        best = flaws.argmin(axis=-1)[..., None]
        return np.take_along_axis(candidates, best, axis=-1)[..., 0]


def check_apart(names: Sequence[str], codes: np.ndarray, setting: str) -> None:
    """Rejects factors that never vary apart.

    Args:
        names: Names of the factors.
        codes: Values of the factors, `(n, factors)`.
        setting: The setting that names the factors.

    Raises:
        ValueError: Each value of a factor comes with one value of another, and the other way round.
    """
    present = [len(np.unique(column)) for column in codes.T]
    for a, b in itertools.combinations(range(len(names)), 2):
        pairs = len(np.unique(codes[:, [a, b]], axis=0)) if present[a] == present[b] else 0
        if pairs == present[a]:
            first, second = names[a], names[b]
            raise ValueError(
                f"Factors '{first}' and '{second}' never vary apart, so their blocks cannot "
                "be told apart. Expected: examples that differ in only one of them. "
                f"Received: {pairs} values of each, always in the same pairs. Leave "
                f"'{second}' out of `{setting}`, or add such examples."
            )


def columns(
    factors: Mapping[str, np.ndarray], names: Sequence[str], setting: str = "model.args.block_dims"
) -> np.ndarray:
    """Returns the values of some factors side by side, `(n, factors)`.

    Args:
        factors: Values by factor, `(n,)` integers each.
        names: Names of the factors.
        setting: The setting that names the factors.

    Raises:
        ValueError: The examples lack a factor.
    """
    missing = [name for name in names if name not in factors]
    if missing:
        raise ValueError(
            "The examples lack a factor that has a block. Expected: codes of "
            f"{', '.join(names)}. Received: {', '.join(factors)}. Pass every factor of the data "
            f"set, or leave '{missing[0]}' out of `{setting}`."
        )
    return np.stack([np.asarray(factors[name], np.int64) for name in names], axis=1)
