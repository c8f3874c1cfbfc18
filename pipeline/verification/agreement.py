"""Whether two data set directories agree: the same records, up to how kinds of CPU round."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.observations import Kind

CONFIDENCE_TOLERANCE = 1e-2
"""How far a judge's confidence may differ. It reads the image as written: one level more or less
in one to eight values of 9,000 digits moved it by up to 0.002 to 0.007."""
_NAMED = 3  # entries of a manifest that stand for all that differ


@dataclass(frozen=True)
class Alone:
    """Records that one of two directories has and the other has not.

    Args:
        path: The directory that has them.
        count: How many.
        ids: The ids of the first few.
    """

    path: str
    count: int
    ids: tuple[str, ...]

    def __str__(self) -> str:
        more = ", ..." if self.count > len(self.ids) else ""
        return f"records in {self.path} alone: {self.count:,} ({', '.join(self.ids)}{more})"


@dataclass(frozen=True)
class Agreement:
    """What two directories have in common, and in what they differ.

    Args:
        kind: The kind of observation.
        shards: Shards of each directory.
        equal_shards: Those of them whose bytes are the same.
        records: Records that both have, those of equal shards among them.
        alone: Records that the first has alone, and those that the second has.
        features: Records in which a feature differs, by its name. Observations and confidences,
            which may differ a little, are not among them.
        observations: Observations that differ.
        share: Share of the values of all observations that differ, in `[0, 1]`.
        difference: Largest difference of a value, in the unit of its kind.
        confidence: Largest difference of a judge's confidence.
    """

    kind: Kind
    shards: int
    equal_shards: int
    records: int
    alone: tuple[Alone, Alone]
    features: Mapping[str, int]
    observations: int
    share: float
    difference: float
    confidence: float

    @property
    def holds(self) -> bool:
        """Whether one configuration may give both directories, on two kinds of CPU."""
        return not self.breaches

    @property
    def breaches(self) -> tuple[str, ...]:
        """What differs more than it may, in words; empty if the promise holds."""
        found = [str(alone) for alone in self.alone if alone.count]
        found += [f"'{name}' differs in {count:,} records" for name, count in self.features.items()]
        for what, difference, most in self.differences():
            if not difference <= most:  # NaN agrees with nothing
                found.append(f"largest difference of {what}: {difference:.3g}, more than {most:g}")
        return tuple(found)

    def differences(self) -> Iterator[tuple[str, float, float]]:
        """What may differ a little, by how much it does, and by how much it may."""
        yield f"{self.kind.many}, in {self.kind.unit}", self.difference, self.kind.tolerance
        yield "confidences", self.confidence, CONFIDENCE_TOLERANCE


def check_comparable(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Refuses directories that cannot agree, by their manifests.

    Raises:
        FileNotFoundError: A manifest is missing.
        ValueError: They have other observations, factors, splits or shards.
    """
    first, second = (
        _skeleton(Manifest.read(os.path.join(os.fspath(folder), MANIFEST_FILE)))
        for folder in (path, other)
    )
    for what, expected in first.items():
        if expected != second[what]:
            raise ValueError(
                f"'{path}' and '{other}' cannot be compared: they have other {what}. "
                f"Expected: {_unlike(expected, second[what])}. "
                f"Received: {_unlike(second[what], expected)}. "
                "Compare what one configuration made of the same data."
            )


def _skeleton(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """What directories must have in common for their records to be matched."""
    shards = {
        shard.file: (split, index)
        for split, entries in manifest.splits.items()
        for index, shard in enumerate(entries)
    }
    return {
        "observations": {"kind": manifest.observation, "shape": manifest.image_shape},
        "factors": manifest.factors,
        "splits": {"splits": sorted(manifest.splits)},
        "shards": shards,
    }


def _unlike(entries: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """The first few entries that the others do not have or have otherwise."""
    unlike = ((k, v) for k, v in entries.items() if k not in others or others[k] != v)
    return dict(itertools.islice(unlike, _NAMED))
