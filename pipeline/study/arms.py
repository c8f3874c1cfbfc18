"""The arms of a study: the examples mixed with the real ones, and the transform of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from latentloom.augment.spelling import nearest
from latentloom.pipeline.study.transforms import TRANSFORMS

REAL, UNTIED = "real", "untied"
REPEATED, MORE_REAL = "repeated", "oracle"


@dataclass(frozen=True)
class Arm:
    """One way to train on some real examples.

    Attributes:
        name: Name in the configuration.
        pool: Examples to mix in: the name of a pool of generated examples; `repeated` for the real
            examples again; `oracle` for other real examples; or None.
        transform: Transform of every batch, a name of `TRANSFORMS`, or None.
        untied: Whether to use as many other real examples, whose label is not tied.
    """

    name: str
    pool: str | None = None
    transform: str | None = None
    untied: bool = False


@dataclass(frozen=True)
class Mixed:
    """An arm at one mixing ratio.

    Attributes:
        arm: The arm.
        ratio: Mixed examples per real example; 0 without a pool.
    """

    arm: Arm
    ratio: float

    @property
    def name(self) -> str:
        """Name of the arm with its ratio."""
        return f"{self.arm.name} x{self.ratio:g}" if self.ratio else self.arm.name


@dataclass(frozen=True)
class Run:
    """One classifier that a study trains.

    Attributes:
        arm: Its arm.
        size: Real examples of each class; None for all.
        ratio: Mixed examples per real example; 0 without a pool.
        seed: Seed of the real examples, the generator and the classifier.
    """

    arm: Arm
    size: int | None
    ratio: float
    seed: int

    @property
    def mixed(self) -> Mixed:
        """The arm at this ratio."""
        return Mixed(self.arm, self.ratio)

    @property
    def name(self) -> str:
        """Name of the arm with its ratio."""
        return self.mixed.name


def parse_arm(name: str, pools: Sequence[str]) -> Arm:
    """Parses the name of an arm: a pool and a transform, joined by ` + `, or one of them.

    `real` has neither. `untied` may precede both.

    Raises:
        ValueError: A part is unknown, there are two pools or two transforms, or a pool has a
            reserved name.
    """
    reserved = {REAL, UNTIED, REPEATED, MORE_REAL, *TRANSFORMS}
    if taken := sorted(reserved.intersection(pools)):
        raise ValueError(
            f"Pool name '{taken[0]}' is reserved. Expected: none of {', '.join(sorted(reserved))}. "
            f"Received: study.pools with '{taken[0]}'. Rename it."
        )
    known_pools = (*pools, REPEATED, MORE_REAL)
    parts = name.split(" + ")
    chosen = {
        "pool": [part for part in parts if part in known_pools],
        "transform": [part for part in parts if part in TRANSFORMS],
    }
    everything = [REAL, UNTIED, *known_pools, *TRANSFORMS]
    unknown = [part for part in parts if part not in everything]
    if unknown or any(len(found) > 1 for found in chosen.values()):
        wrong = unknown[0] if unknown else name
        raise ValueError(
            f"Arm '{name}' is invalid. Expected: one of {', '.join(everything)}, or a pool "
            f"and a transform, joined by ' + '. Received: study.arms with '{wrong}'. "
            f"{nearest(wrong, everything)}"
        )
    found = {kind: names[0] if names else None for kind, names in chosen.items()}
    return Arm(name, **found, untied=UNTIED in parts)


def plan_runs(
    arms: Sequence[Arm], sizes: Sequence[int | None], ratios: Sequence[float], seeds: Sequence[int]
) -> Iterator[Run]:
    """Yields every run of a study: size by size, seed by seed, then arm by arm."""
    for size in sizes:
        for seed in seeds:
            for arm in arms:
                for ratio in ratios if arm.pool else [0.0]:
                    yield Run(arm, size, ratio, seed)
