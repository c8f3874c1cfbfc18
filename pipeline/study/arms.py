"""The arms of a study: what is mixed with the real examples, and what is done to a batch."""

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
        name: As the configuration names it.
        pool: What is mixed with them: generated examples by the name of their pool, `repeated`, the
            real ones again, or `oracle`, other real ones; or none.
        transform: What is done to every batch, a name of `TRANSFORMS`, or none.
        untied: Whether the real examples are others, as many, whose label is tied to nothing.
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
        ratio: Mixed examples per real one, 0 where nothing is mixed.
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
        size: Real examples of each class, or none for all there are.
        ratio: Mixed examples per real one, 0 where nothing is mixed.
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
    """Reads the name of an arm: what is mixed and what transforms, joined by ` + `, or neither.

    `real` is an arm that has neither, and `untied` may stand before both.

    Raises:
        ValueError: A part of it is unknown, there are two of one kind, or a pool is called as
            another part.
    """
    reserved = {REAL, UNTIED, REPEATED, MORE_REAL, *TRANSFORMS}
    if taken := sorted(reserved.intersection(pools)):
        raise ValueError(
            f"A pool cannot be called '{taken[0]}', which is an arm of its own. Expected: another "
            f"name. Received: study.pools with '{taken[0]}'. Rename it."
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
            f"Arm '{name}' cannot be run. Expected: one of {', '.join(everything)}, or one that is "
            f"mixed and one that transforms, joined by ' + '. Received: study.arms with '{wrong}'. "
            f"{nearest(wrong, everything)}"
        )
    found = {kind: names[0] if names else None for kind, names in chosen.items()}
    return Arm(name, **found, untied=UNTIED in parts)


def plan_runs(
    arms: Sequence[Arm], sizes: Sequence[int | None], ratios: Sequence[float], seeds: Sequence[int]
) -> Iterator[Run]:
    """Every run of a study, small sizes first, all arms of one seed together."""
    for size in sizes:
        for seed in seeds:
            for arm in arms:
                for ratio in ratios if arm.pool else [0.0]:
                    yield Run(arm, size, ratio, seed)
