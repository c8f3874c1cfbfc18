"""Merges summaries of slices in the Beam graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, Self

import apache_beam as beam


class Mergeable(Protocol):
    """A summary of some examples, such as a donor bank or the counts of cells.

    Merging is associative and commutative, so that any engine gives the same summary.
    """

    def merge(self, *others: Self) -> Self:
        """Returns one summary of the examples of all these summaries."""
        ...


class MergeAll(beam.CombineFn):
    """Merges all summaries into one; gives None if there are no summaries."""

    def create_accumulator(self) -> Mergeable | None:
        """No summary yet."""
        return None

    def add_input(self, accumulator: Mergeable | None, summary: Mergeable) -> Mergeable:
        """Merges one more summary."""
        return summary if accumulator is None else accumulator.merge(summary)

    def merge_accumulators(self, accumulators: Iterable[Mergeable | None]) -> Mergeable | None:
        """Merges the accumulators of several workers."""
        parts = [part for part in accumulators if part is not None]
        return parts[0].merge(*parts[1:]) if parts else None

    def extract_output(self, accumulator: Mergeable | None) -> Mergeable | None:
        """The summary itself."""
        return accumulator
