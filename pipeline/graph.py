"""The Beam graph of a generation job."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import AsSingleton
from apache_beam.utils.shared import Shared

from augment import find_recipe
from pipeline.encode_shard import EncodeShard, MergeDonors, donors_of
from pipeline.jobs import GenerationJob, ShardTask
from pipeline.render_shard import RenderShard
from pipeline.runners import DEFAULT_RUNNER, make_runner


class AugmentShards(beam.PTransform):
    """Turns shard tasks into reports of written shards.

    A recipe that takes donors encodes every shard of the input for the donor bank, a bounded side
    input, and renders those that are not finished. Pixels never cross a shuffle.

    Args:
        job: The job.
        todo: Names of the output files that are not finished.
    """

    def __init__(self, job: GenerationJob, todo: Sequence[str]):
        super().__init__()
        self.job, self.todo = job, frozenset(todo)

    def expand(self, input_or_inputs):
        """Wires tasks to reports."""
        shared = Shared()
        encoded = (
            input_or_inputs
            | "SpreadShards" >> beam.Reshuffle()
            | "EncodeShard" >> beam.ParDo(EncodeShard(self.job, shared))
        )
        render = RenderShard(self.job, shared)
        if not find_recipe(self.job.settings.recipe).needs_donors:
            return encoded | "RenderShard" >> beam.ParDo(render)
        donors = (
            encoded
            | "SampleDonors" >> beam.Map(donors_of, self.job)
            | "MergeDonors" >> beam.CombineGlobally(MergeDonors())
        )
        unfinished = encoded | "DropFinished" >> beam.Filter(
            lambda shard, todo: shard.task.file in todo, self.todo
        )
        return unfinished | "RenderShard" >> beam.ParDo(render, AsSingleton(donors))


def run_graph(
    job: GenerationJob,
    todo: Sequence[ShardTask],
    runner: str = DEFAULT_RUNNER,
    beam_args: Sequence[str] = (),
) -> None:
    """Runs the graph of a job until every unfinished shard is written.

    Args:
        job: The job.
        todo: The tasks that are not finished.
        runner: Name of a Beam runner.
        beam_args: Beam's own options.

    Raises:
        RuntimeError: The runner says that the pipeline did not finish.
    """
    needs_all = find_recipe(job.settings.recipe).needs_donors
    options = PipelineOptions(list(beam_args))
    with beam.Pipeline(runner=make_runner(runner), options=options) as pipeline:
        tasks = pipeline | "Shards" >> beam.Create(list(job.tasks if needs_all else todo))
        _ = tasks | "AugmentShards" >> AugmentShards(job, [task.file for task in todo])
