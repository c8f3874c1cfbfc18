"""SampleDonors: chooses donors of a slice by their keys, then decodes and encodes only these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from latentloom.augment import DonorBank
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.reading import ParsedRecord, decode_rows, factors_of
from latentloom.pipeline.generation.job import GenerationJob, ShardTask
from latentloom.pipeline.generation.worker.codec_worker import CodecDoFn


class SampleDonors(CodecDoFn):
    """Turns a slice into a bounded sample of the latents of its examples."""

    def process(self, task: ShardTask) -> Iterator[DonorBank]:
        """Yields the donors of a task's slice."""
        yield sample_donors(self.job, self.dataset, task, self.codec)


def sample_donors(
    job: GenerationJob, dataset: DatasetDir, task: ShardTask, codec: Codec
) -> DonorBank:
    """A bounded sample of latents for each value of the factors that donors are matched by.

    Equals the bank of all readable examples of the slice. Skips examples of held-out cells.
    """
    split = job.settings.split
    index = dataset.shard_index(split, task.source)
    bank = _bank_of(job, codec, decode_rows(dataset.manifest, task.source, [], [])[0])
    for rows, _ in dataset.iter_rows(split, index, start=task.start, stop=task.stop):
        bank = bank.merge(_bank_of(job, codec, _chosen(job, dataset, task.source, rows, bank)))
    return bank


def _bank_of(job: GenerationJob, codec: Codec, examples: Examples) -> DonorBank:
    codes = codec.encode(examples.observations, job.plan.blocks.donors)
    return _sample(job, examples.ids, examples.factors, codes)


def _sample(
    job: GenerationJob,
    ids: Sequence[str],
    factors: dict[str, np.ndarray],
    codes: dict[str, np.ndarray],
) -> DonorBank:
    return DonorBank.build(
        ids,
        {factor: factors[factor] for factor in job.plan.banked},
        codes,
        seed=job.settings.seed,
        capacity=job.settings.donors_per_class,
    )


def _chosen(
    job: GenerationJob,
    dataset: DatasetDir,
    file: str,
    rows: Sequence[ParsedRecord],
    bank: DonorBank,
) -> Examples:
    """Decodes the rows that the bank takes; chooses again without those that are damaged."""
    manifest, known = dataset.manifest, bank.without_latents()
    if job.hold_out:
        keeps = job.hold_out.keeps(factors_of(manifest, rows)).tolist()
        rows = [row for row, kept in zip(rows, keeps, strict=True) if kept]
    while True:
        sample = _sample(job, [row.example_id for row in rows], factors_of(manifest, rows), {})
        taken = set(known.merge(sample).ids.tolist()) - set(known.ids.tolist())
        examples, dead = decode_rows(
            manifest, file, [row for row in rows if row.example_id in taken], []
        )
        if not dead:
            return examples
        damaged = {letter.record for letter in dead}
        rows = [row for row in rows if row.record not in damaged]
