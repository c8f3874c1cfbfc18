"""Encodes the records of a slice and samples donors from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import DonorBank, Latents
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import DeadLetter
from latentloom.pipeline.generation.job import GenerationJob, ShardTask
from latentloom.pipeline.generation.worker.codec_worker import CodecDoFn


@dataclass(frozen=True)
class EncodedSlice:
    """The readable examples of a slice as columns, about a hundred floats per row, no pixels.

    Attributes:
        task: The slice and its quotas.
        ids: Ids of the examples.
        factors: Value indices by factor, `(n,)` each.
        latents: Codes, `(n, dim)` per block.
        dead_letters: The unreadable records.
    """

    task: ShardTask
    ids: list[str]
    factors: dict[str, np.ndarray]
    latents: Latents
    dead_letters: list[DeadLetter]


def encode_slice(
    job: GenerationJob, dataset: DatasetDir, task: ShardTask, codec: Codec
) -> EncodedSlice:
    """Reads a slice in batches and encodes it; unreadable records become dead letters.

    Skips examples of held-out cells.
    """
    split, hold_out = job.settings.split, job.hold_out
    files = [shard.file for shard in dataset.shards(split)]
    ids: list[str] = []
    columns: list[dict[str, np.ndarray]] = []
    codes: list[Latents] = []
    dead_letters: list[DeadLetter] = []
    index = files.index(task.source)
    for examples, letters in dataset.iter_shard(split, index, start=task.start, stop=task.stop):
        if hold_out:
            examples = examples.take(hold_out.keeps(examples.factors))
        ids += examples.ids
        columns.append(dict(examples.factors))
        codes.append(codec.encode(examples.observations))
        dead_letters += letters
    return EncodedSlice(task, ids, _joined(columns), _joined(codes), dead_letters)


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def sample_donors(job: GenerationJob, encoded: EncodedSlice) -> DonorBank:
    """A bounded sample of latents for each value of the factors that donors are matched by."""
    return DonorBank.build(
        encoded.ids,
        {factor: encoded.factors[factor] for factor in job.plan.banked},
        encoded.latents,
        seed=job.settings.seed,
        capacity=job.settings.donors_per_class,
    )


class SampleDonors(CodecDoFn):
    """Encodes one slice per element; yields a bounded sample of its latents."""

    def process(self, task: ShardTask) -> Iterator[DonorBank]:
        """Yields the donors of a task's slice."""
        yield sample_donors(self.job, encode_slice(self.job, self.dataset, task, self.codec))
