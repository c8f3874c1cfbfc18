"""`ShardReport`: the content and the rejections of one output shard, stored as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from latentloom.pipeline.dataset.class_counts import CountsByClass
from latentloom.pipeline.dataset.manifest import ShardEntry


class ShardReport(BaseModel):
    """Counts the variants of one shard. Every requested variant was written, rejected or dead.

    Attributes:
        job: Digest of the job.
        entry: The entry of the output shard in the manifest.
        requested: Variants asked for, by class.
        rejected: Variants given up after all attempts, by class.
        dead: Variants without a readable anchor, by class.
        candidates: Observations drawn in all attempts, by class.
        rejections: Candidates that the gate rejected: `{class: {reason: count}}`.
        examples: Input examples that were read.
        cells: Written variants of each cell of the grid, if cells are counted.
        dead_letters: Unreadable input records, `{"shard", "record", "reason"}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    entry: ShardEntry
    requested: CountsByClass
    rejected: CountsByClass
    dead: CountsByClass
    candidates: CountsByClass
    rejections: dict[str, dict[str, int]]
    examples: int
    dead_letters: list[dict[str, Any]]
    cells: list[tuple[list[int], int]] = []

    @property
    def totals(self) -> dict[str, int]:
        """Variants requested, written, rejected and dead."""
        return {
            "requested": sum(self.requested),
            "written": self.entry.records,
            "rejected": sum(self.rejected),
            "dead": sum(self.dead),
        }
