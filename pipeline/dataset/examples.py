"""Labelled observations in columns, and unusable examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from latentloom.pipeline.dataset.stored_observations import StoredObservations, concatenate

Factors = Mapping[str, Sequence[str]]
"""Value names of the label and of every other factor."""


@dataclass(frozen=True)
class DeadLetter:
    """An unusable example: its file, its number in the file, the reason, and its class if known."""

    shard: str
    record: int
    reason: str
    label: int | None = None

    def to_dict(self) -> dict[str, str | int]:
        """Returns it as a manifest lists it."""
        return {"shard": self.shard, "record": self.record, "reason": self.reason}


class LeftOut(DeadLetter):
    """An intact example with nothing to learn from, such as an empty document."""


@dataclass(frozen=True)
class Examples:
    """A batch of labelled observations, columnar.

    Args:
        observations: Observations in stored form: uint8 array of shape `(batch_size, height, width,
            channels)`, for vectors float32 of shape `(batch_size, features)`, or for bags of words
            int32 of shape `(batch_size, words)`. May be `StoredObservations`, which read rows of
            such an array when they are asked for.
        factors: int64 codes of shape `(batch_size,)` for each factor, `"label"` among them.
        ids: The identity of each example.
        changes: How much an import changed each observation, float32 of shape `(batch_size,)` by
            the kind of change; 0 means not at all.
    """

    observations: np.ndarray
    factors: dict[str, np.ndarray]
    ids: list[str]
    changes: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        lengths = {len(self.observations), len(self.ids)} | {len(c) for c in self.factors.values()}
        if len(lengths) > 1 or "label" not in self.factors:
            raise ValueError(
                "The columns of the examples do not agree. Expected: equal lengths and a factor "
                f"'label'. Received: observations={len(self.observations)}, ids={len(self.ids)}, "
                f"factors={ {name: len(c) for name, c in self.factors.items()} }. Align them."
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> np.ndarray:
        """int64 class codes of shape `(batch_size,)`."""
        return self.factors["label"]

    def take(self, rows: np.ndarray | slice) -> Examples:
        """Returns the examples at some rows: integer positions, a slice or a boolean mask."""
        rows = np.arange(len(self))[rows]
        factors = {name: codes[rows] for name, codes in self.factors.items()}
        stored = isinstance(self.observations, StoredObservations)
        observations = self.observations.take(rows) if stored else self.observations[rows]
        changes = {kind: amounts[rows] for kind, amounts in self.changes.items()}
        return Examples(observations, factors, [self.ids[row] for row in rows], changes)

    def loaded(self) -> Examples:
        """Returns the same examples with their observations in memory."""
        return Examples(self.observations[:], self.factors, self.ids)

    @classmethod
    def concatenate(cls, parts: Sequence[Examples]) -> Examples:
        """Joins one or more batches with the same factors and image shape."""
        return cls(
            concatenate([part.observations for part in parts]),
            {name: np.concatenate([p.factors[name] for p in parts]) for name in parts[0].factors},
            [example_id for part in parts for example_id in part.ids],
        )
