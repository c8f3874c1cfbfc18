"""SampleDonors: chooses donors of a slice by their keys, then decodes and encodes only these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from latentloom.augment import DonorBank
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.reading import ParsedRecord, decode_rows, factors_of
from latentloom.pipeline.generation.job import GenerationJob, ShardTask, VariantRules
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
    return donors_among(job, examples.ids, examples.factors, codes)


def donors_among(
    job: VariantRules,
    ids: Sequence[str],
    factors: Mapping[str, np.ndarray],
    codes: Mapping[str, np.ndarray],
) -> DonorBank:
    """The bank of some examples.

    Args:
        job: What decides the variants; its plan names the factors that donors are matched by.
        ids: Ids of the `n` examples.
        factors: Value indices by factor, `(n,)` each.
        codes: `(n, dim)` a block.
    """
    return DonorBank.build(
        ids,
        {factor: factors[factor] for factor in job.plan.banked},
        codes,
        seed=job.settings.seed,
        capacity=job.settings.donors_per_class,
    )


def taken_ids(
    job: VariantRules, bank: DonorBank, ids: Sequence[str], factors: Mapping[str, np.ndarray]
) -> set[str]:
    """The ids of those examples that a bank takes, before any is decoded.

    Args:
        job: What decides the variants.
        bank: The bank so far.
        ids: Ids of the `n` examples.
        factors: Value indices by factor, `(n,)` each.
    """
    known = bank.without_latents()
    merged = known.merge(donors_among(job, ids, factors, {}))
    return set(merged.ids.tolist()) - set(known.ids.tolist())


def _chosen(
    job: GenerationJob,
    dataset: DatasetDir,
    file: str,
    rows: Sequence[ParsedRecord],
    bank: DonorBank,
) -> Examples:
    """Decodes the rows that the bank takes; chooses again without those that are damaged."""
    manifest = dataset.manifest
    if job.hold_out:
        keeps = job.hold_out.keeps(factors_of(manifest, rows)).tolist()
        rows = [row for row, kept in zip(rows, keeps, strict=True) if kept]
    while True:
        taken = taken_ids(job, bank, [row.example_id for row in rows], factors_of(manifest, rows))
        examples, dead = decode_rows(
            manifest, file, [row for row in rows if row.example_id in taken], []
        )
        if not dead:
            return examples
        damaged = {letter.record for letter in dead}
        rows = [row for row in rows if row.record not in damaged]
