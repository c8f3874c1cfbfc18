"""RenderShard: encode, plan, recombine, decode, gate, and write the variants of one slice."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
from apache_beam.metrics.metric import Metrics

from latentloom.augment import (
    Anchors,
    Coverage,
    DonorBank,
    Latents,
    VariantPlan,
    Verdicts,
    find_recipe,
    plan_variants,
    recombine,
)
from latentloom.pipeline.allotting import allot
from latentloom.pipeline.atomic_files import ShardWriter, write_atomic
from latentloom.pipeline.codec import Codec
from latentloom.pipeline.donor_files import read_donors
from latentloom.pipeline.encode_slice import EncodedSlice, encode_slice
from latentloom.pipeline.files import make_folders
from latentloom.pipeline.jobs import JOB_FOLDER, GenerationJob, ShardReport, ShardTask
from latentloom.pipeline.manifest import CONFIDENCE, TOTALS
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.tf_example import serialize
from latentloom.pipeline.workers import CodecDoFn
from latentloom.pipeline.writing import shard_entry

CHUNK = 1024
"""Variants held in memory at a time."""

NAMESPACE = "latentloom"
COUNTERS = (*TOTALS, "unreadable", "shards")
"""Beam metrics of a run: variants by what became of them, unreadable records, shards written."""

logger = logging.getLogger(__name__)


class RenderShard(CodecDoFn):
    """Encodes a slice, makes its variants and writes them, one shard per element.

    Yields the report of the shard. Counts of what was done here go to Beam's metrics; the truth is
    the manifest, since an engine may do an element twice.
    """

    def setup(self) -> None:
        """Loads the codec, opens the input and makes the counters."""
        super().setup()
        self.counters = {name: Metrics.counter(NAMESPACE, name) for name in COUNTERS}

    def process(self, task: ShardTask, donors: str | None = None) -> Iterator[ShardReport]:
        """Yields the report of a shard, made now or found finished.

        Args:
            task: The slice, and what is to be made of it.
            donors: Path of the donor bank, for recipes that take donors.
        """
        report = self.job.finished(task)
        if report is None:
            logger.info("Shard %s: begun", task.file)
            report = self._render(task, read_donors(donors, self.job.digest) if donors else None)
            logger.info("Shard %s: finished, %d records", task.file, report.entry.records)
        yield report

    def _render(self, task: ShardTask, donors: DonorBank | None) -> ShardReport:
        encoded = encode_slice(self.job, self.dataset, task, self.codec)
        report = render_shard(self.job, encoded, donors, self.codec)
        for name, count in report.totals.items():
            self.counters[name].inc(count)
        self.counters["unreadable"].inc(len(report.dead_letters))
        self.counters["shards"].inc()
        return report


@dataclass
class _Tally:
    """What became of the variants of a shard, counted by class."""

    written: Counter = field(default_factory=Counter)
    rejected: Counter = field(default_factory=Counter)
    candidates: Counter = field(default_factory=Counter)
    rejections: Counter = field(default_factory=Counter)
    cells: Counter = field(default_factory=Counter)

    def count(self, labels: np.ndarray, verdicts: Verdicts, *, is_last: bool) -> None:
        """Counts the candidates of an attempt; what the last one rejects is given up."""
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


@dataclass(frozen=True)
class _Accepted:
    """The candidates of one attempt that passed the gate; `slots` are their places in the chunk."""

    slots: np.ndarray
    plan: VariantPlan
    images: np.ndarray
    confidences: dict[str, np.ndarray]


def render_shard(
    job: GenerationJob, shard: EncodedSlice, donors: DonorBank | None, codec: Codec
) -> ShardReport:
    """Writes the variants of a shard under a temporary name, renames it, then its report.

    Idempotent: the bytes depend on job, shard and donors alone.
    """
    anchors = allot(job, shard, donors)
    tally = _Tally()
    with ShardWriter(f"{job.out}/{shard.task.file}") as writer:
        for rows in _chunks(anchors.variants):
            part = anchors.take(rows)
            latents = {name: block[rows] for name, block in shard.latents.items()}
            records: dict[int, bytes] = {}
            for accepted in _draw(job, part, latents, donors, codec, tally):
                tally.count_cells(job.plan.coverage, accepted.plan)
                records |= _records(job, codec.kind, part, accepted, donors)
            for slot in sorted(records):
                writer.write(records[slot])
    report = _report(job, shard, anchors, tally, writer)
    make_folders(os.path.join(job.out, JOB_FOLDER))
    write_atomic(job.report_path(shard.task), report.model_dump_json())
    return report


def _chunks(variants: np.ndarray) -> Iterator[np.ndarray]:
    """Rows of anchors, together about `CHUNK` variants at a time."""
    chunk_of = (np.cumsum(variants) - variants) // CHUNK
    wanted = np.flatnonzero(variants)
    for chunk in np.unique(chunk_of[wanted]):
        yield wanted[chunk_of[wanted] == chunk]


def _draw(
    job: GenerationJob,
    anchors: Anchors,
    latents: Latents,
    donors: DonorBank | None,
    codec: Codec,
    tally: _Tally,
) -> Iterator[_Accepted]:
    """Draws every variant, and those that the gate rejects anew, attempt by attempt."""
    settings = job.settings
    gate = settings.gate.build()
    slots = np.arange(anchors.variants.sum())
    attempts = 1 if find_recipe(settings.recipe).keeps_all else settings.gate.attempts
    for attempt in range(attempts):
        plan = plan_variants(
            settings.recipe,
            anchors,
            codec.spec,
            seed=settings.seed,
            attempt=attempt,
            donors=donors,
            options=settings.options,
            clashes=job.plan.clashes,
        ).take(slots)
        images, probabilities = codec.render_factors(
            recombine(latents, donors.latents if donors else None, plan)
        )
        verdicts = gate.judge_factors(probabilities, plan.factors)
        passed = verdicts.accepted
        tally.count(plan.label, verdicts, is_last=attempt == attempts - 1)
        yield _Accepted(
            slots[passed],
            plan.take(np.flatnonzero(passed)),
            images[passed],
            {name: column[passed] for name, column in confidence_columns(verdicts).items()},
        )
        slots = slots[~passed]
        if not len(slots):
            return


def confidence_columns(verdicts: Verdicts) -> dict[str, np.ndarray]:
    """The judge's confidences under the names of their features, that of the class first."""
    others = {f"{CONFIDENCE}_{name}": column for name, column in verdicts.confidences.items()}
    return {CONFIDENCE: verdicts.confidence} | others


def _records(
    job: GenerationJob,
    kind: Kind,
    anchors: Anchors,
    accepted: _Accepted,
    donors: DonorBank | None,
) -> dict[int, bytes]:
    """The serialised examples of accepted candidates, by slot."""
    plan = accepted.plan
    columns = {name: plan.factors[name].tolist() for name in job.plan.written}
    columns["seen_combination"] = job.plan.seen(plan.factors).tolist()
    columns |= {name: column.tolist() for name, column in accepted.confidences.items()}
    rows_of_donors = np.stack(list(plan.donors.values()), axis=1)
    records = {}
    for row, value in enumerate(kind.encode(accepted.images)):
        anchor_id = anchors.ids[plan.anchor[row]]
        used = sorted({int(donor) for donor in rows_of_donors[row] if donor >= 0})
        records[int(accepted.slots[row])] = serialize(
            {
                kind.feature: value,
                **{name: codes[row] for name, codes in columns.items()},
                "example_id": f"{anchor_id}/{plan.recipe}/{plan.variant[row]:04d}",
                "anchor_id": anchor_id,
                "donor_ids": [str(donors.ids[donor]) for donor in used] if donors else [],
                "recipe": plan.recipe,
                "seed": int(plan.keys[row].view(np.int64)),
            }
        )
    return records


def _report(
    job: GenerationJob, shard: EncodedSlice, anchors: Anchors, tally: _Tally, writer: ShardWriter
) -> ShardReport:
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
        dead_letters=[asdict(letter) for letter in shard.dead_letters],
        cells=[(list(cell), count) for cell, count in sorted(tally.cells.items())],
    )
