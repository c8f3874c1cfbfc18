"""Anchors: the examples that variants are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment.cells import Targets
from latentloom.augment.columns import as_integers, check_lengths

__all__ = ["Anchors"]


@dataclass(frozen=True, eq=False)
class Anchors:
    """The examples that variants are made from, one row each.

    Args:
        ids: Identities of the `n` examples, unique.
        factors: Value indices by factor, int64 of shape `(n,)`; always has `label`.
        variants: int64 of shape `(n,)`: number of variants of each. At least 0.
        targets: Target cells of the variants, a row per variant in the order of the anchors; None
            unless the recipe fills cells.
    """

    ids: Sequence[str]
    factors: dict[str, np.ndarray]
    variants: np.ndarray
    targets: Targets | None = None

    def __post_init__(self) -> None:
        if "label" not in self.factors:
            raise ValueError(
                "Anchors have no class. Expected: a factor 'label'. Received: "
                f"factors={sorted(self.factors)}. Name the class factor 'label'."
            )
        factors = {name: as_integers("Anchors", name, v) for name, v in self.factors.items()}
        variants = as_integers("Anchors", "variants", self.variants)
        check_lengths("Anchors", len(self.ids), factors | {"variants": variants})
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(
                "Anchors are not unique. Expected: a different id in each row. Received: "
                f"{len(self.ids) - len(set(self.ids))} repeated ids. Ask for more variants of an "
                "anchor instead of repeating it."
            )
        if (variants < 0).any():
            raise ValueError(
                "Anchors have a negative number of variants. Expected: variants >= 0. Received: "
                f"min(variants)={variants.min()}. Pass 0 to leave an anchor out."
            )
        object.__setattr__(self, "factors", factors)
        object.__setattr__(self, "variants", variants)
        if self.targets is not None and len(self.targets) != variants.sum():
            raise ValueError(
                "Anchors have the wrong number of targets. Expected: "
                f"{variants.sum()} targets. Received: {len(self.targets)}. Pass the cell of each "
                "variant."
            )

    def take(self, rows: np.ndarray) -> Anchors:
        """Returns the anchors at some rows, with their variants and targets.

        Args:
            rows: int64 of shape `(m,)`: row indices.
        """
        targets = self.targets
        if targets is not None:
            starts = np.cumsum(self.variants) - self.variants
            numbers = self.variants[rows]
            shifts = np.repeat(starts[rows] - (np.cumsum(numbers) - numbers), numbers)
            targets = targets.take(shifts + np.arange(len(shifts)))
        return Anchors(
            [self.ids[int(row)] for row in rows],
            {name: values[rows] for name, values in self.factors.items()},
            self.variants[rows],
            targets,
        )

    def __len__(self) -> int:
        return len(self.ids)
