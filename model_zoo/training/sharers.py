"""Which examples share the value of a factor, and what of that makes groups impossible."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping

import numpy as np

logger = logging.getLogger(__name__)

CANDIDATES = 16
"""Draws of which the best becomes the sharer."""
MOST_CELLS = 20_000
"""Cells of the grid among which a lone sharer is looked for."""
_CELLS_AT_ONCE = 64


class Sharers:
    """Draws examples that share the value of one factor with others and, if they can, no more.

    Args:
        factors: Codes of the factors that have a block, `(n,)` integers each.
        sizes: Number of values of each of them, in the order of the blocks.

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
        self._check_ties()

    def _check_values(self) -> None:
        for name, counts in zip(self.names, self.counts, strict=True):
            values, single = np.flatnonzero(counts), np.flatnonzero(counts == 1)
            if len(values) < 2:
                raise ValueError(
                    f"Factor '{name}' has one value in the training examples. Expected: two or "
                    f"more, for its block to learn a difference. Received: value {values[0]} in "
                    f"all {len(self.codes)} examples. Leave '{name}' out of "
                    "`model.args.block_dims`, or add examples of another value."
                )
            if len(single):
                logger.warning(
                    "Of factor '%s' %d of %d values have one training example, such as value %d: "
                    "it stands in for its own sharer.",
                    name,
                    len(single),
                    len(values),
                    single[0],
                )

    def _check_ties(self) -> None:
        present, width = (self.counts > 0).sum(axis=1), self.counts.shape[1]
        for a, b in itertools.combinations(range(len(self.names)), 2):
            pairs = len(np.unique(self.codes[:, a] * width + self.codes[:, b]))
            if pairs == present[a] == present[b]:
                first, second = self.names[a], self.names[b]
                raise ValueError(
                    f"Factors '{first}' and '{second}' never vary apart, so that nothing shows "
                    "which block should carry what. Expected: examples that differ in one of them "
                    f"alone. Received: {pairs} values of each, always in the same pairs. Leave "
                    f"'{second}' out of `model.args.block_dims`, or add such examples."
                )

    def lone_factors(self) -> list[str]:
        """Factors that some two examples share without sharing another of them.

        They are looked for among up to `MOST_CELLS` cells of the grid.
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
        """Which codes `(n, factors)` have values that all occur here: `(n,)` booleans."""
        axes = np.arange(len(self.names))
        return np.all(self.counts[axes, codes] > 0, axis=1)

    def draw(
        self, codes: np.ndarray, rows: np.ndarray | None, axes: np.ndarray, uniforms: np.ndarray
    ) -> np.ndarray:
        """Draws a sharer for every centre and every factor that is asked for.

        The best of `CANDIDATES` draws: not the centre itself, and sharing as little else as can be.

        Args:
            codes: Codes of the centres, `(batch, factors)`, all known here.
            rows: Positions of the centres among these examples, `(batch,)`, or `None`.
            axes: Positions of the factors to share, `(batch, k)`.
            uniforms: `(batch, k, CANDIDATES)` floats in `[0, 1)`, which decide.

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


def columns(factors: Mapping[str, np.ndarray], names: list[str]) -> np.ndarray:
    """Codes of some factors side by side, `(n, factors)`.

    Raises:
        ValueError: The examples lack one.
    """
    missing = [name for name in names if name not in factors]
    if missing:
        raise ValueError(
            "The examples lack a factor that has a block. Expected: codes of "
            f"{', '.join(names)}. Received: {', '.join(factors)}. Pass every factor of the data "
            f"set, or leave '{missing[0]}' out of `model.args.block_dims`."
        )
    return np.stack([np.asarray(factors[name], np.int64) for name in names], axis=1)
