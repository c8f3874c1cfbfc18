"""Assigns numbers of variants to the anchors of a shard, by class or by cell."""

from __future__ import annotations

import numpy as np

from latentloom.augment import (
    Anchors,
    DonorBank,
    allot_cells,
    anchors_among,
    identity_keys,
    variants_per_anchor,
)
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.worker.encode_slice import EncodedSlice


def allot(job: GenerationJob, shard: EncodedSlice, donors: DonorBank | None) -> Anchors:
    """Assigns numbers of variants to the readable anchors of a shard, by class or by cell."""
    if job.plan.cells is None:
        return _allot_classes(job, shard)
    if donors is None:
        raise ValueError(
            f"The shard '{shard.task.source}' cannot be allotted cells. Expected: a donor bank. "
            "Received: donors=None. Run the graph of a recipe that takes donors."
        )
    cells, clashes = job.plan.cells, job.plan.clashes
    rows, targets = allot_cells(cells, donors, seed=job.settings.seed, clashes=clashes)
    return anchors_among(shard.ids, shard.factors, donors, rows, targets)


def _allot_classes(job: GenerationJob, shard: EncodedSlice) -> Anchors:
    """Assigns every readable anchor its number of variants; drops those of unreadable anchors."""
    labels = shard.factors["label"]
    keys = identity_keys(job.settings.seed, "quota", shard.ids)
    variants = np.zeros(len(labels), np.int64)
    for label, quota in enumerate(shard.task.quotas):
        rows = np.flatnonzero(labels == label)
        if len(rows):
            share = reachable(quota, shard.task.class_counts[label], len(rows))
            variants[rows] = variants_per_anchor(share, keys[rows])
    return Anchors(shard.ids, shard.factors, variants)


def reachable(quota: int, examples: int, readable: int) -> int:
    """Variants that the readable examples of a class make; unreadable ones are not replaced."""
    each, extra = divmod(quota, max(examples, 1))
    return min(quota, each * readable + min(extra, readable))
