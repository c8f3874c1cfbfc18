"""Encodes the records of a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import Latents
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import DeadLetter
from latentloom.pipeline.dataset.stored_observations import StoredObservations
from latentloom.pipeline.generation.job import GenerationJob, ShardTask
from latentloom.pipeline.generation.worker.slice_rows import SliceRows


@dataclass(frozen=True)
class EncodedSlice:
    """The readable examples of a slice as columns, about a hundred floats per row, no pixels.

    Attributes:
        task: The slice and its quotas.
        ids: Ids of the examples.
        factors: Value indices by factor, `(n,)` each.
        latents: Codes, `(n, dim)` per block that the job reads of anchors.
        observations: The examples as stored; rows are read from the shard again when needed.
        dead_letters: The unreadable records.
    """

    task: ShardTask
    ids: list[str]
    factors: dict[str, np.ndarray]
    latents: Latents
    observations: StoredObservations
    dead_letters: list[DeadLetter]


def encode_slice(
    job: GenerationJob, dataset: DatasetDir, task: ShardTask, codec: Codec
) -> EncodedSlice:
    """Reads a slice in batches and encodes it; unreadable records become dead letters.

    Skips examples of held-out cells, and blocks that the job does not read.
    """
    split, hold_out = job.settings.split, job.hold_out
    ids: list[str] = []
    columns: list[dict[str, np.ndarray]] = []
    codes: list[Latents] = []
    dead_letters: list[DeadLetter] = []
    records: list[np.ndarray] = []
    passed = task.start
    index = dataset.shard_index(split, task.source)
    for examples, letters in dataset.iter_shard(split, index, start=task.start, stop=task.stop):
        numbers = np.arange(passed, passed + len(examples) + len(letters))
        passed += len(numbers)
        numbers = np.setdiff1d(numbers, [letter.record for letter in letters])
        if hold_out:
            keeps = hold_out.keeps(examples.factors)
            examples, numbers = examples.take(keeps), numbers[keeps]
        records.append(numbers)
        ids += examples.ids
        columns.append(dict(examples.factors))
        codes.append(codec.encode(examples.observations, job.plan.blocks.anchors))
        dead_letters += letters
    rows = SliceRows(dataset, split, index, np.concatenate(records))
    stored = StoredObservations(rows)
    return EncodedSlice(task, ids, _joined(columns), _joined(codes), stored, dead_letters)


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
