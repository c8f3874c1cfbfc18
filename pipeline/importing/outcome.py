"""The outcome of an import: examples written, left out or dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from latentloom.pipeline.dataset.examples import DeadLetter, LeftOut
from latentloom.pipeline.importing.changes import ChangeCounts

FAILURE_BUDGET = 0.01  # share of the examples that may be dead letters
LEFT_OUT = "left_out"
"""Detail of a manifest: for each reason, the number of left-out examples of each split."""
_DEAD_LETTERS, _CHANGES = "dead_letters", "changes"
LISTED_LETTERS = 100
"""Largest number of dead letters in the details of a manifest."""

Progress = Callable[[int, int], None]
"""Called as `progress(done, total)` with numbers of examples."""


@dataclass
class ImportOutcome:
    """Counts the examples of an import, and stops it if too many are dead.

    Args:
        source: Name of the source, for errors.
        total: Number of examples of the source.
        progress: Called after every batch.
    """

    source: str
    total: int
    progress: Progress | None = None
    written: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    changes: ChangeCounts = field(default_factory=ChangeCounts)

    @property
    def done(self) -> int:
        """Number of examples so far."""
        return self.written + len(self.left_out) + len(self.dead)

    def add(self, written: int, letters: Sequence[DeadLetter]) -> None:
        """Counts a batch.

        Args:
            written: Number of its examples that were written.
            letters: The other examples.

        Raises:
            ValueError: If more examples are dead than the failure budget allows.
        """
        self.written += written
        for letter in letters:
            if isinstance(letter, LeftOut):
                self.left_out.append(letter)
            else:
                self.dead.append(letter)
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
        """Checks that the source yielded all its examples.

        Raises:
            ValueError: If their number differs from `total`.
        """
        if self.done != self.total:
            raise ValueError(
                f"Source '{self.source}' is incomplete. Expected: {self.total} examples. "
                f"Received: {self.done}. Check its files."
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
        letters = [asdict(letter) for letter in self.dead[:LISTED_LETTERS]]
        left_out = {LEFT_OUT: _count_by_reason(self.left_out)} if self.left_out else {}
        changes = self.changes.to_details()
        return {_DEAD_LETTERS: letters} | left_out | ({_CHANGES: changes} if changes else {})


def _count_by_reason(letters: Sequence[LeftOut]) -> dict[str, dict[str, int]]:
    """Returns the number of letters for each reason and split."""
    counts: dict[str, Counter] = {}
    for letter in letters:
        counts.setdefault(letter.reason, Counter())[letter.shard] += 1
    return {reason: dict(splits) for reason, splits in counts.items()}
