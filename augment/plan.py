"""Plans of variants: which block of each variant comes from where. Pure, columnar data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from latentloom.augment.anchors import Anchors
from latentloom.augment.columns import as_integers, check_lengths
from latentloom.augment.latents import Block, LatentSpec
from latentloom.augment.randomness import derive, identity_keys

__all__ = ["FROM_ANCHOR", "FROM_DONOR", "Origin", "VariantPlan"]


class Origin(IntEnum):
    """Where a block of a variant comes from."""

    KEEP = 0
    """The anchor's block, bit for bit."""
    PRIOR = 1
    """A draw from the block's prior."""
    DONOR = 2
    """A donor's block."""
    MIX = 3
    """A point on the line from the anchor's block to a donor's."""
    SHIFT = 4
    """The anchor's block, moved along one axis."""
    STEP = 5
    """A step from the anchor's block towards a draw from the block's prior."""


FROM_ANCHOR = (Origin.KEEP, Origin.MIX, Origin.SHIFT, Origin.STEP)
"""The origins that read the anchor's block."""
FROM_DONOR = (Origin.DONOR, Origin.MIX)
"""The origins that read a donor's block."""
WEIGHTED = (Origin.MIX, Origin.STEP)
"""The origins that lie between the anchor's block and another."""


@dataclass(frozen=True, eq=False)
class VariantPlan:
    """One row per variant: an origin per block, and the columns that the origin needs.

    A plan holds no latents: `recombine` executes it.

    Args:
        recipe: Name of the recipe that made the plan.
        spec: The blocks, `B` of them.
        anchor: int64 of shape `(V,)`: row of the anchor.
        variant: int64 of shape `(V,)`: index of the variant within its anchor.
        factors: Target values by factor, int64 of shape `(V,)` each, of the factors known for every
            variant. Always has `label`.
        keys: uint64 of shape `(V,)`: key of every random number of the variant.
        origins: Per block int8 of shape `(V,)`, values of `Origin`.
        donors: Per block int64 of shape `(V,)`: row in the donor bank, -1 for none.
        weights: Per block float32 of shape `(V,)`: share of the donor in `[0, 1]` where the
            origin is `MIX`, of the draw where it is `STEP`, 0 elsewhere.
        axes: Per block int64 of shape `(V,)`: the axis that is moved along where the origin is
            `SHIFT`, an entry of the block or one of its prior's directions; -1 elsewhere.
        shifts: Per block float32 of shape `(V,)`: how far, in standard deviations along this axis
            under the prior of the block, where the origin is `SHIFT`, 0 elsewhere.
        temperatures: Per block a float, at least 0: factor on the scale of draws from its prior.
    """

    recipe: str
    spec: LatentSpec
    anchor: np.ndarray
    variant: np.ndarray
    factors: dict[str, np.ndarray]
    keys: np.ndarray
    origins: dict[str, np.ndarray]
    donors: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    axes: dict[str, np.ndarray]
    shifts: dict[str, np.ndarray]
    temperatures: dict[str, float]

    def __post_init__(self) -> None:
        if "label" not in self.factors:
            raise ValueError(
                f"Recipe '{self.recipe}' loses the class. Expected: variants of a known class. "
                f"Received: known factors={list(self.factors)}. Choose a recipe that keeps the "
                "blocks that carry 'label'."
            )
        rows = {"anchor": self.anchor, "variant": self.variant, **self.factors}
        for name, column in rows.items():
            if (as_integers("Plan", name, column) < 0).any():
                raise ValueError(
                    f"A plan has a negative index. Expected: {name} >= 0. Received: "
                    f"min({name})={np.min(column)}. Pass row indices."
                )
        check_lengths("Plan", len(self.anchor), rows | {"keys": self.keys})
        for kind in ("origins", "donors", "weights", "axes", "shifts"):
            self._check_blocks(kind, getattr(self, kind))
            check_lengths(f"Plan column `{kind}`", len(self), getattr(self, kind))
        self._check_blocks("temperatures", self.temperatures)
        for name in self.spec.names:
            _check_block(name, self.origins[name], self.donors[name], self.weights[name])
            _check_shift(self.spec[name], self.origins[name], self.axes[name], self.shifts[name])
            _check_temperature(name, self.temperatures[name])

    @classmethod
    def keep_all(
        cls, recipe: str, anchors: Anchors, spec: LatentSpec, *, seed: int, attempt: int = 0
    ) -> VariantPlan:
        """Lays out the variants of the anchors with every block kept.

        Args:
            recipe: Name of the recipe, part of every key.
            anchors: The anchors; row `i` gets `anchors.variants[i]` variants.
            spec: The blocks.
            seed: Integer, the seed of the run.
            attempt: Integer, 0 for the first try; another attempt gives other keys.

        Returns:
            A plan that recipes then change.
        """
        anchor = np.repeat(np.arange(len(anchors)), anchors.variants)
        starts = np.cumsum(anchors.variants) - anchors.variants
        variant = np.arange(len(anchor)) - starts[anchor]
        keys = derive(identity_keys(seed, recipe, anchors.ids)[anchor], variant)
        return cls(
            recipe=recipe,
            spec=spec,
            anchor=anchor,
            variant=variant,
            factors={name: values[anchor] for name, values in anchors.factors.items()},
            keys=derive(keys, attempt),
            origins={name: np.full(len(anchor), Origin.KEEP, np.int8) for name in spec.names},
            donors={name: np.full(len(anchor), -1, np.int64) for name in spec.names},
            weights={name: np.zeros(len(anchor), np.float32) for name in spec.names},
            axes={name: np.full(len(anchor), -1, np.int64) for name in spec.names},
            shifts={name: np.zeros(len(anchor), np.float32) for name in spec.names},
            temperatures=dict.fromkeys(spec.names, 1.0),
        )

    @property
    def label(self) -> np.ndarray:
        """The class each variant should have, int64 of shape `(V,)`."""
        return self.factors["label"]

    def block_keys(self, name: str) -> np.ndarray:
        """Returns the keys of one block's draws, uint64 of shape `(V,)`."""
        return derive(self.keys, self.spec.names.index(name))

    def blocks_from(self, origins: Sequence[Origin]) -> tuple[str, ...]:
        """Returns the blocks that have one of some origins in any variant, in order."""
        return tuple(name for name in self.spec.names if np.isin(self.origins[name], origins).any())

    def take(self, rows: np.ndarray) -> VariantPlan:
        """Returns the plan of some variants.

        Args:
            rows: Indices or a boolean mask over the variants.

        Returns:
            A plan with these rows; they make the same latents as in the whole.
        """

        def pick(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: column[rows] for name, column in columns.items()}

        return VariantPlan(
            recipe=self.recipe,
            spec=self.spec,
            anchor=self.anchor[rows],
            variant=self.variant[rows],
            factors=pick(self.factors),
            keys=self.keys[rows],
            origins=pick(self.origins),
            donors=pick(self.donors),
            weights=pick(self.weights),
            axes=pick(self.axes),
            shifts=pick(self.shifts),
            temperatures=self.temperatures,
        )

    def __len__(self) -> int:
        return len(self.anchor)

    def _check_blocks(self, kind: str, entries: Mapping[str, object]) -> None:
        if tuple(entries) != self.spec.names:
            raise ValueError(
                f"A plan has the wrong blocks in `{kind}`. Expected: {list(self.spec.names)}, in "
                f"this order. Received: {list(entries)}. Give every block of the spec an entry."
            )


def _check_block(name: str, origins: np.ndarray, donors: np.ndarray, weights: np.ndarray) -> None:
    if not np.isin(origins, list(Origin)).all():
        raise ValueError(
            f"A plan has an unknown origin for block '{name}'. Expected: one of "
            f"{[int(origin) for origin in Origin]}. Received: origins={np.unique(origins)}. Use "
            "the values of `Origin`."
        )
    needs_donor = np.isin(origins, FROM_DONOR)
    if not np.array_equal(donors >= 0, needs_donor):
        raise ValueError(
            f"A plan has donors that do not fit the origins of block '{name}'. Expected: a row for "
            f"DONOR and MIX, -1 elsewhere. Received: {int(needs_donor.sum())} such origins and "
            f"{int((donors >= 0).sum())} donors. Give a donor where one is used and nowhere else."
        )
    if not ((weights >= 0) & (weights <= np.isin(origins, WEIGHTED))).all():
        raise ValueError(
            f"A plan has weights out of range for block '{name}'. Expected: [0, 1] for MIX and "
            f"STEP, 0 elsewhere. Received: weights={np.unique(weights)[:8]}. Pass the share of the "
            "donor or of the draw."
        )


def _check_shift(block: Block, origins: np.ndarray, axes: np.ndarray, shifts: np.ndarray) -> None:
    moved, count = origins == Origin.SHIFT, block.num_axes
    if not np.where(moved, (axes >= 0) & (axes < count), axes == -1).all():
        raise ValueError(
            f"A plan has axes that do not fit the origins of block '{block.name}'. Expected: an "
            f"axis in `[0, {count})` for SHIFT, -1 elsewhere. Received: {int(moved.sum())} "
            f"such origins and axes={np.unique(axes)[:8]}. Give an axis where one is moved and "
            "nowhere else."
        )
    if not (np.isfinite(shifts) & (moved | (shifts == 0))).all():
        raise ValueError(
            f"A plan has shifts that do not fit the origins of block '{block.name}'. Expected: a "
            f"finite number for SHIFT, 0 elsewhere. Received: shifts={np.unique(shifts)[:8]}. Pass "
            "standard deviations."
        )


def _check_temperature(name: str, temperature: float) -> None:
    if not 0 <= temperature < np.inf:
        raise ValueError(
            f"A plan has a temperature out of range for block '{name}'. Expected: a finite number "
            f"of at least 0. Received: temperature={temperature}. Pass 1.0 for the prior itself."
        )
