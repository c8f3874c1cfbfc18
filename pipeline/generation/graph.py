"""The Beam graph of a generation job."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.pvalue import AsSingleton, PCollection
from apache_beam.runners.runner import PipelineResult
from apache_beam.typehints import with_input_types, with_output_types
from apache_beam.utils.shared import Shared

from latentloom.model_zoo.bundle import Bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.generation.engines import IN_PROCESS, Engine
from latentloom.pipeline.generation.job import GenerationJob, ShardTask
from latentloom.pipeline.generation.merging import MergeAll
from latentloom.pipeline.generation.shard_report import ShardReport
from latentloom.pipeline.generation.worker.donor_files import write_donors
from latentloom.pipeline.generation.worker.render_shard import NAMESPACE, RenderShard
from latentloom.pipeline.generation.worker.sample_donors import SampleDonors
from latentloom.pipeline.storage.files import exists


@with_input_types(ShardTask)
@with_output_types(str)
class BankDonors(beam.PTransform):
    """Turns all tasks of a job into the path of its donor bank, a bounded sample of their latents.

    Args:
        job: The job.
        shared: Handle by which the workers of one process share the codec.
    """

    def __init__(self, job: GenerationJob, shared: Shared):
        super().__init__()
        self.job, self.shared = job, shared

    def expand(self, input_or_inputs):
        """Connects tasks to the path."""
        return (
            input_or_inputs
            | "SpreadSlices" >> beam.Reshuffle()
            | "SampleDonors" >> beam.ParDo(SampleDonors(self.job, self.shared))
            | "MergeDonors" >> beam.CombineGlobally(MergeAll())
            | "WriteDonors" >> beam.Map(write_donors, self.job.donors_path)
        )


@with_input_types(ShardTask)
@with_output_types(ShardReport)
class RenderShards(beam.PTransform):
    """Turns tasks into reports of written shards.

    Only tasks, bounded banks and reports pass between workers; pixels do not.

    Args:
        job: The job.
        shared: Handle by which the workers of one process share the codec.
        donors: The path of the donor bank, or a collection with it; None for recipes without
            donors.
    """

    def __init__(
        self, job: GenerationJob, shared: Shared, donors: str | PCollection[str] | None = None
    ):
        super().__init__()
        self.job, self.shared = job, shared
        self.donors = AsSingleton(donors) if isinstance(donors, PCollection) else donors

    def expand(self, input_or_inputs):
        """Connects tasks to reports."""
        return (
            input_or_inputs
            | "SpreadShards" >> beam.Reshuffle()
            | "RenderShard" >> beam.ParDo(RenderShard(self.job, self.shared), self.donors)
        )


def run_graph(
    job: GenerationJob,
    todo: Sequence[ShardTask],
    engine: Engine = IN_PROCESS,
    bundle: Bundle | None = None,
) -> dict[str, int]:
    """Runs the graph of a job until every unfinished shard is written.

    For a recipe that takes donors, the graph first reads every slice of the input for the donor
    bank, unless an earlier run of the job wrote the bank.

    Args:
        job: The job.
        todo: The tasks that are not finished.
        engine: What the graph runs on.
        bundle: The bundle of the job, if it is loaded: workers in this process share it.

    Returns:
        Beam's counters of this run, from `counters_of`.

    Raises:
        RuntimeError: The pipeline failed, or a worker process died.
    """
    shared = Shared()
    _codec = _share(shared, job, bundle) if engine.runs_here and bundle else None
    with engine.pipeline() as pipeline:
        donors = None
        if job.plan.needs_bank:
            donors = job.donors_path
            if not exists(donors):
                tasks = pipeline | "Slices" >> beam.Create(list(job.tasks))
                donors = tasks | "BankDonors" >> BankDonors(job, shared)
        shards = pipeline | "Shards" >> beam.Create(list(todo))
        _ = shards | "RenderShards" >> RenderShards(job, shared, donors)
    return counters_of(pipeline.result)


def _share(shared: Shared, job: GenerationJob, bundle: Bundle) -> Codec | None:
    """Gives the codec of a bundle to the workers of this process, as long as it is referenced.

    Returns None for a bundle that changed since the job was planned: workers reject it.
    """
    if bundle.digest != job.bundle_digest:
        return None
    return shared.acquire(lambda: Codec(bundle), tag=job.bundle_digest)


def counters_of(result: PipelineResult) -> dict[str, int]:
    """Beam's counters of a finished run by name; empty if its runner keeps none."""
    found = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))
    return {counter.key.metric.name: counter.result for counter in found["counters"]}
