"""EncodeShard: from the name of a shard to the latents of its examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np

from augment import DonorBank, HoldOut, Latents
from pipeline.codec import Codec
from pipeline.dataset_dir import DatasetDir
from pipeline.examples import DeadLetter, Examples
from pipeline.jobs import GenerationJob, ShardTask
from pipeline.workers import CodecDoFn


@dataclass(frozen=True)
class EncodedShard:
    """The readable examples of a shard as columns, about a hundred floats a row, no pixels.

    Attributes:
        task: The shard and its quotas.
        ids: Identities of the examples.
        factors: Value indices by factor, `(n,)` each.
        latents: `(n, dim)` a block.
        dead_letters: The records that could not be read.
    """

    task: ShardTask
    ids: list[str]
    factors: dict[str, np.ndarray]
    latents: Latents
    dead_letters: list[DeadLetter]


class EncodeShard(CodecDoFn):
    """Encodes one shard per element."""

    def setup(self) -> None:
        """Loads the codec and opens the input."""
        super().setup()
        self.dataset = DatasetDir.open(self.job.data)

    def process(self, task: ShardTask) -> Iterator[EncodedShard]:
        """Yields the encoded shard of a task."""
        job = self.job
        yield encode_shard(self.dataset, job.settings.split, task, self.codec, job.hold_out)


def encode_shard(
    dataset: DatasetDir,
    split: str,
    task: ShardTask,
    codec: Codec,
    hold_out: HoldOut | None = None,
) -> EncodedShard:
    """Reads a shard in batches and encodes it; unreadable records become dead letters.

    Examples of cells that are held out are passed over.
    """
    files = [shard.file for shard in dataset.shards(split)]
    batches: list[tuple[Examples, Latents]] = []
    dead_letters: list[DeadLetter] = []
    for examples, letters in dataset.iter_shard(split, files.index(task.source)):
        if hold_out:
            examples = examples.take(hold_out.keeps(examples.factors))
        batches.append((examples, codec.encode(examples.images)))
        dead_letters += letters
    first, latents = batches[0]
    return EncodedShard(
        task=task,
        ids=[example_id for examples, _ in batches for example_id in examples.ids],
        factors={
            name: np.concatenate([examples.factors[name] for examples, _ in batches])
            for name in first.factors
        },
        latents={name: np.concatenate([codes[name] for _, codes in batches]) for name in latents},
        dead_letters=dead_letters,
    )


def donors_of(shard: EncodedShard, job: GenerationJob) -> DonorBank:
    """A bounded sample of the shard's latents for each class, or each value of several factors."""
    return DonorBank.build(
        shard.ids,
        {factor: shard.factors[factor] for factor in job.plan.banked},
        shard.latents,
        seed=job.settings.seed,
        capacity=job.settings.donors_per_class,
    )


class MergeDonors(beam.CombineFn):
    """Merges donor banks; associative and commutative, so that any engine gives the same bank."""

    def create_accumulator(self) -> DonorBank | None:
        """No bank yet."""
        return None

    def add_input(self, accumulator: DonorBank | None, bank: DonorBank) -> DonorBank:
        """Merges one more bank."""
        return bank if accumulator is None else accumulator.merge(bank)

    def merge_accumulators(self, accumulators) -> DonorBank | None:
        """Merges what workers have merged."""
        banks = [bank for bank in accumulators if bank is not None]
        return banks[0].merge(*banks[1:]) if banks else None

    def extract_output(self, accumulator: DonorBank | None) -> DonorBank | None:
        """The bank itself."""
        return accumulator
