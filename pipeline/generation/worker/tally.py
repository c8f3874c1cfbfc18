"""Counts the variants of a shard: drawn, written, rejected, by class and by cell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from latentloom.augment import Anchors, Coverage, VariantPlan, Verdicts
from latentloom.pipeline.dataset.writing import shard_entry
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.generation.worker.encode_slice import EncodedSlice
from latentloom.pipeline.storage.tfrecords import ShardWriter


@dataclass
class Tally:
    """Counts of the variants of a shard.

    Attributes:
        written: Accepted variants by class.
        rejected: Variants given up after the last attempt, by class.
        candidates: Variants drawn in all attempts, by class.
        rejections: Candidates that the gate rejected, by class and reason.
        cells: Accepted variants by cell of the grid, if cells are counted.
    """

    written: Counter = field(default_factory=Counter)
    rejected: Counter = field(default_factory=Counter)
    candidates: Counter = field(default_factory=Counter)
    rejections: Counter = field(default_factory=Counter)
    cells: Counter = field(default_factory=Counter)

    def count(self, labels: np.ndarray, verdicts: Verdicts, *, is_last: bool) -> None:
        """Counts the candidates of an attempt; rejections of the last attempt are given up."""
        self.candidates.update(labels.tolist())
        self.written.update(labels[verdicts.accepted].tolist())
        refused = zip(labels.tolist(), verdicts.reason.tolist(), strict=True)
        self.rejections.update((label, verdicts.reasons[code]) for label, code in refused if code)
        if is_last:
            self.rejected.update(labels[~verdicts.accepted].tolist())

    def count_cells(self, coverage: Coverage | None, accepted: VariantPlan) -> None:
        """Counts written variants by cell, if cells are counted."""
        if coverage is not None:
            columns = [accepted.factors[factor].tolist() for factor in coverage.names]
            self.cells.update(zip(*columns, strict=True))


def report_shard(
    job: GenerationJob, shard: EncodedSlice, anchors: Anchors, tally: Tally, writer: ShardWriter
) -> ShardReport:
    """The report of a written shard.

    Args:
        job: The job.
        shard: The slice that the shard was made from.
        anchors: Its anchors and how many variants each got.
        tally: The counts of its variants.
        writer: The writer of the shard.
    """
    labels = range(len(shard.task.quotas))
    made = np.bincount(
        anchors.factors["label"], weights=anchors.variants, minlength=len(labels)
    ).astype(int)
    rejections: dict[str, dict[str, int]] = {}
    for (label, reason), count in sorted(tally.rejections.items()):
        rejections.setdefault(str(label), {})[reason] = count
    requested = shard.task.quotas if job.plan.cells is None else made.tolist()
    return ShardReport(
        job=job.digest,
        entry=shard_entry(writer, shard.task.file, [tally.written[label] for label in labels]),
        requested=requested,
        rejected=[tally.rejected[label] for label in labels],
        dead=[requested[label] - int(made[label]) for label in labels],
        candidates=[tally.candidates[label] for label in labels],
        rejections=rejections,
        examples=len(shard.ids),
        dead_letters=[letter.to_dict() for letter in shard.dead_letters],
        cells=[(list(cell), count) for cell, count in sorted(tally.cells.items())],
    )
