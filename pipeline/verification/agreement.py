"""The agreement of two data set directories, up to rounding on other kinds of CPU."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from latentloom.pipeline.dataset.manifest import MANIFEST_FILE, Manifest
from latentloom.pipeline.observations import Kind

CONFIDENCE_TOLERANCE = 1e-2
"""Largest difference of a judge's confidence. The judge reads the image as written: one level more
or less in one to eight values of 9,000 digits moved it by up to 0.002 to 0.007."""
_NAMED = 3  # largest number of differing entries to show


@dataclass(frozen=True)
class Alone:
    """Records that only one of two directories has.

    Args:
        path: The directory that has them.
        count: Number of these records.
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
    """Counts what two directories share, and measures their differences.

    Args:
        kind: The kind of observation.
        shards: Shards of each directory.
        equal_shards: Number of shards with equal bytes.
        records: Number of records in both, equal shards included.
        alone: Records only in the first directory, and records only in the second.
        features: Number of records in which a feature differs, by its name; without observations
            and confidences, which may differ a little.
        observations: Number of observations that differ.
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
        """Whether all differences are within what two kinds of CPU may cause."""
        return not self.breaches

    @property
    def breaches(self) -> tuple[str, ...]:
        """Differences beyond the tolerances, in words; empty if `holds`."""
        found = [str(alone) for alone in self.alone if alone.count]
        found += [f"'{name}' differs in {count:,} records" for name, count in self.features.items()]
        for what, difference, most in self.differences():
            if not difference <= most:  # NaN agrees with nothing
                found.append(f"largest difference of {what}: {difference:.3g}, more than {most:g}")
        return tuple(found)

    def differences(self) -> Iterator[tuple[str, float, float]]:
        """Yields name, largest difference and tolerance of what may differ a little."""
        yield f"{self.kind.many}, in {self.kind.unit}", self.difference, self.kind.tolerance
        yield "confidences", self.confidence, CONFIDENCE_TOLERANCE


def check_comparable(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Rejects directories whose manifests rule out an agreement.

    Raises:
        FileNotFoundError: If a manifest is missing.
        ValueError: If observations, factors, splits or shards differ.
    """
    first, second = (
        _skeleton(Manifest.read(os.path.join(os.fspath(folder), MANIFEST_FILE)))
        for folder in (path, other)
    )
    for what, expected in first.items():
        if expected != second[what]:
            raise ValueError(
                f"'{path}' and '{other}' have different {what}. "
                f"Expected: {_unlike(expected, second[what])}. "
                f"Received: {_unlike(second[what], expected)}. "
                "Compare two runs of one configuration on the same data."
            )


def _skeleton(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Returns the entries that two manifests must share to match their records."""
    shards = {
        shard.file: (split, index)
        for split, entries in manifest.splits.items()
        for index, shard in enumerate(entries)
    }
    return {
        "observations": {"kind": manifest.observation, "shape": manifest.observation_shape},
        "factors": manifest.factors,
        "splits": {"splits": sorted(manifest.splits)},
        "shards": shards,
    }


def _unlike(entries: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Returns the first few entries that are missing or different in the others."""
    unlike = ((k, v) for k, v in entries.items() if k not in others or others[k] != v)
    return dict(itertools.islice(unlike, _NAMED))
