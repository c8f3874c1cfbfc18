"""`ShardReport`: what one output shard holds and what was rejected, kept beside it as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from latentloom.pipeline.dataset.manifest import ShardEntry


class ShardReport(BaseModel):
    """What became of one shard. Every requested variant was written, rejected or dead.

    Attributes:
        job: Digest of the job that it belongs to.
        entry: The output shard as the manifest lists it.
        requested: Variants asked for, by class.
        rejected: Variants given up after all attempts, by class.
        dead: Variants without a readable anchor, by class.
        candidates: Images drawn, by class, all attempts counted.
        rejections: Candidates that the gate refused: `{class: {reason: count}}`.
        examples: Input examples that were read.
        cells: Written variants of each cell of the grid, if cells are counted.
        dead_letters: Unreadable input records, `{"shard", "record", "reason"}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str
    entry: ShardEntry
    requested: list[int]
    rejected: list[int]
    dead: list[int]
    candidates: list[int]
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
