"""RenderShard: encode, plan, recombine, decode, gate, and write the variants of one slice."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from apache_beam.metrics.metric import Metrics

from latentloom.augment import DonorBank
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.manifest import TOTALS
from latentloom.pipeline.generation.job import JOB_FOLDER, GenerationJob, ShardTask
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.generation.worker.allotting import allot
from latentloom.pipeline.generation.worker.chunks import draw_chunks
from latentloom.pipeline.generation.worker.codec_worker import CodecDoFn
from latentloom.pipeline.generation.worker.donor_files import read_donors
from latentloom.pipeline.generation.worker.encode_slice import EncodedSlice, encode_slice
from latentloom.pipeline.generation.worker.tally import Tally, report_shard
from latentloom.pipeline.generation.worker.variant_records import variant_records
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import make_folders
from latentloom.pipeline.storage.tfrecords import ShardWriter

NAMESPACE = "latentloom"
COUNTERS = (*TOTALS, "unreadable", "shards")
"""Beam metrics of a run: variants by outcome, unreadable records, written shards."""

logger = logging.getLogger(__name__)


class RenderShard(CodecDoFn):
    """Encodes a slice, makes its variants and writes them, one shard per element.

    Yields the report of the shard. Beam's metrics count the work done, twice if an engine runs an
    element twice; only the manifest has exact counts.
    """

    def setup(self) -> None:
        """Loads the codec, opens the input and makes the counters."""
        super().setup()
        self.counters = {name: Metrics.counter(NAMESPACE, name) for name in COUNTERS}

    def process(self, task: ShardTask, donors: str | None = None) -> Iterator[ShardReport]:
        """Yields the report of a shard; renders the shard unless it is finished.

        Args:
            task: The slice and its quotas.
            donors: Path of the donor bank, for recipes that take donors.
        """
        report = self.job.finished(task)
        if report is None:
            logger.info("Shard %s: started", task.file)
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


def render_shard(
    job: GenerationJob, shard: EncodedSlice, donors: DonorBank | None, codec: Codec
) -> ShardReport:
    """Writes the variants of a shard under a temporary name, renames it, then writes its report.

    Idempotent: the bytes depend only on job, shard and donors.

    Args:
        job: The job.
        shard: The slice with its quotas.
        donors: The donor bank, for recipes that take donors.
        codec: The codec of the bundle.
    """
    anchors = allot(job, shard, donors)
    tally = Tally()
    chunks = draw_chunks(job, anchors, shard.latents, shard.observations, donors, codec, tally)
    with ShardWriter(f"{job.out}/{shard.task.file}") as writer:
        for _, part, drawn in chunks:
            records: dict[int, bytes] = {}
            for accepted in drawn:
                tally.count_cells(job.plan.coverage, accepted.plan)
                records |= variant_records(job, codec.kind, part, accepted, donors)
            for slot in sorted(records):
                writer.write(records[slot])
    report = report_shard(job, shard, anchors, tally, writer)
    make_folders(os.path.join(job.out, JOB_FOLDER))
    write_atomic(job.report_path(shard.task), report.model_dump_json())
    return report
