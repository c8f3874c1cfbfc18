"""The outcome of an import: examples written, left out or dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples, LeftOut
from latentloom.pipeline.importing.changes import ChangeCounts, constant_images
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.texts import printable

FAILURE_BUDGET = 0.01  # share of all examples, and of those of each class, that may be dead letters
LEFT_OUT = "left_out"
"""Detail of a manifest: for each reason, the number of left-out examples of each split."""
_DEAD_LETTERS, _DEAD_BY_CLASS, _CHANGES = "dead_letters", "dead_by_class", "changes"
LISTED_LETTERS = 100
"""Largest number of dead letters in the details of a manifest."""

Progress = Callable[[int, int], None]
"""Called as `progress(done, total)` with numbers of examples."""


@dataclass
class ImportOutcome:
    """Counts the examples of an import, and stops it if too many are dead.

    Args:
        source: Name of the source, for errors.
        observation: Kind of its observations, a key of `KINDS`.
        total: Number of examples of the source.
        class_names: Names of the classes.
        progress: Called after every batch.
    """

    source: str
    observation: str
    total: int
    class_names: Sequence[str]
    progress: Progress | None = None
    written: int = 0
    written_of: Counter[tuple[str, int]] = field(default_factory=Counter)
    dead_of: dict[tuple[str, int | None], list[DeadLetter]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    changes: ChangeCounts = field(default_factory=ChangeCounts)

    @property
    def done(self) -> int:
        """Number of examples so far."""
        return self.written + len(self.left_out) + len(self.dead)

    def add_batch(
        self, split: str, examples: Examples, ids: Sequence[str], letters: Sequence[DeadLetter]
    ) -> dict[str, np.ndarray]:
        """Counts a batch and what became of its images.

        Args:
            split: Name of its split.
            examples: Its examples.
            ids: Their ids, as they are told.
            letters: The other examples.

        Returns:
            How much each example was changed by kind, as in `Examples`.

        Raises:
            ValueError: If more examples are dead than the failure budget allows.
        """
        constant = constant_images(KINDS[self.observation], examples.observations)
        changes = examples.changes | constant
        self.changes.add(ids, changes)
        self.add(split, examples.labels, letters)
        return changes

    def add(self, split: str, labels: np.ndarray, letters: Sequence[DeadLetter]) -> None:
        """Counts a batch.

        Args:
            split: Name of its split.
            labels: Classes of its examples that were written, int64 of shape `(batch_size,)`.
            letters: The other examples.

        Raises:
            ValueError: If more examples are dead than the failure budget allows.
        """
        self.written += len(labels)
        for label, count in enumerate(np.bincount(labels).tolist()):
            self.written_of[split, label] += count
        for letter in letters:
            if isinstance(letter, LeftOut):
                self.left_out.append(letter)
                continue
            self.dead.append(letter)
            self.dead_of.setdefault((split, letter.label), []).append(letter)
        if len(self.dead) > FAILURE_BUDGET * self.total:
            first = self.dead[0]
            raise ValueError(
                f"Too many examples of source '{self.source}' are unusable, the first in "
                f"'{first.shard}' (number {first.record}): {first.reason}. Expected: at most "
                f"{FAILURE_BUDGET:.0%} of {self.total}. Received: {len(self.dead)} after "
                f"{self.done}. Repair or remove them."
            )
        if self.progress:
            self.progress(self.done, self.total)

    def check_complete(self) -> None:
        """Checks that the source yielded all its examples, and no class lost too many.

        Raises:
            ValueError: If their number differs from `total`, a class lost more examples than the
                failure budget allows, or all of a split.
        """
        if self.done != self.total:
            raise ValueError(
                f"Source '{self.source}' is incomplete. Expected: {self.total} examples. "
                f"Received: {self.done}. Check its files."
            )
        for label, name in enumerate(self.class_names):
            self._check_class(label, printable(name))

    def _check_class(self, label: int, name: str) -> None:
        lost = {split: dead for (split, code), dead in self.dead_of.items() if code == label}
        dead = [letter for letters in lost.values() for letter in letters]
        left = sum(count for (_, code), count in self.written_of.items() if code == label)
        bare = [split for split in lost if not self.written_of[split, label]]
        if bare or len(dead) > FAILURE_BUDGET * (len(dead) + left):
            first = lost[bare[0]][0] if bare else dead[0]
            all_of = f", all of split '{bare[0]}'" if bare else ""
            raise ValueError(
                f"Too many examples of class '{name}' of source '{self.source}' are unusable, the "
                f"first in '{first.shard}' (number {first.record}): {first.reason}. Expected: at "
                f"most {FAILURE_BUDGET:.0%} of each class. Received: {len(dead)} of "
                f"{len(dead) + left}{all_of}. Repair them, or remove them where enough are left."
            )

    def totals(self) -> dict[str, int]:
        """Returns the totals for the manifest."""
        return {
            "requested": self.total,
            "written": self.written,
            "rejected": len(self.left_out),
            "dead": len(self.dead),
        }

    def details(self) -> dict[str, Any]:
        """Returns details for the manifest: first dead letters, and counts of left-out examples."""
        letters = [letter.to_dict() for letter in self.dead[:LISTED_LETTERS]]
        left_out = {LEFT_OUT: _count_by_reason(self.left_out)} if self.left_out else {}
        changes = {_CHANGES: changes} if (changes := self.changes.to_details()) else {}
        return {_DEAD_LETTERS: letters} | self._dead_by_class() | left_out | changes

    def _dead_by_class(self) -> dict[str, Any]:
        """Returns the number of dead letters of each class, or "" if unknown, with the first."""
        found: dict[str, dict[str, Any]] = {}
        for (_, label), letters in self.dead_of.items():
            first = {"count": 0, "first": letters[0].shard, "reason": letters[0].reason}
            name = "" if label is None else self.class_names[label]
            found.setdefault(name, first)["count"] += len(letters)
        return {_DEAD_BY_CLASS: found} if found else {}


def _count_by_reason(letters: Sequence[LeftOut]) -> dict[str, dict[str, int]]:
    """Returns the number of letters for each reason and split."""
    counts: dict[str, Counter] = {}
    for letter in letters:
        counts.setdefault(letter.reason, Counter())[letter.shard] += 1
    return {reason: dict(splits) for reason, splits in counts.items()}
