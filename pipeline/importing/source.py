"""The protocol `Source`, and functions that sources share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.observations import KINDS

Row = TypeVar("Row")


@dataclass(frozen=True)
class Ignored:
    """Files, arrays or splits of a source that are no examples.

    Args:
        reason: Why they are left out.
        count: Their number.
        first: Name of the first one.
    """

    reason: str
    count: int
    first: str


class Source(Protocol):
    """A labelled data set to import, read in order and in bounded memory.

    A source of bags of words also has its `vocabulary`; see `vocabulary_of`.
    A source that leaves something out also has `ignored`; see `ignored_of`. One with factors in
    bins also has `bins`; see `bins_of`.

    Args:
        name: Suggested name of the data set.
        description: One or two sentences for people.
        observation: Kind of observation, a key of `pipeline.observations.KINDS`.
        observation_shape: Event shape `(height, width, channels)`, `(features,)` of vectors or
            `(words,)` of bags of words.
        factors: Value names of each factor; `"label"` first.
        splits: Number of examples, good and bad, of each split.
        label_field: Name of the label in the source itself.
    """

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def observation(self) -> str: ...
    @property
    def observation_shape(self) -> tuple[int, ...]: ...
    @property
    def factors(self) -> dict[str, list[str]]: ...
    @property
    def splits(self) -> dict[str, int]: ...
    @property
    def label_field(self) -> str: ...

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split. The id of an example, and the `record` of a dead letter, is its
        position in the source, so neither depends on the options of an import."""
        ...


def in_batches(
    rows: Iterable[Row | DeadLetter], size: int
) -> Iterator[tuple[list[Row], list[DeadLetter]]]:
    """Yields rows and dead letters apart, `size` of both together at a time, and what is left."""
    taken: list[Row] = []
    dead: list[DeadLetter] = []
    for row in rows:
        if isinstance(row, DeadLetter):
            dead.append(row)
        else:
            taken.append(row)
        if len(taken) + len(dead) == size:
            yield taken, dead
            taken, dead = [], []
    yield taken, dead


def batch_size(source: Source) -> int:
    """Returns the number of examples to hold at a time, by the bytes of an observation."""
    return KINDS[source.observation].batch_size(source.observation_shape)


def vocabulary_of(source: Source) -> list[str]:
    """Returns the words that a source counts; empty unless it holds bags of words."""
    return list(getattr(source, "vocabulary", ()))


def ignored_of(source: Source) -> list[Ignored]:
    """Returns what a source leaves out, by reason."""
    return list(getattr(source, "ignored", ()))


def bins_of(source: Source) -> dict[str, list[float]]:
    """Returns the limits of the bins of factors; empty unless a table has some."""
    return {name: list(bins.limits) for name, bins in getattr(source, "bins", {}).items()}


def position_ids(positions: Iterable[int]) -> list[str]:
    """Returns ids of examples within their split, from their positions in the source."""
    return [f"{position:08d}" for position in positions]


def path_name(path: str | os.PathLike[str]) -> str:
    """Returns a name for a data set from the last part of its path."""
    return re.sub(r"\W+", "_", Path(path).resolve().stem.lower()).strip("_")
