"""Encodes the records of a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import Latents
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import DeadLetter
from latentloom.pipeline.generation.job import GenerationJob, ShardTask


@dataclass(frozen=True)
class EncodedSlice:
    """The readable examples of a slice as columns, about a hundred floats per row, no pixels.

    Attributes:
        task: The slice and its quotas.
        ids: Ids of the examples.
        factors: Value indices by factor, `(n,)` each.
        latents: Codes, `(n, dim)` per block that the recipe reads of anchors.
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

    Skips examples of held-out cells, and blocks that the recipe does not read.
    """
    split, hold_out = job.settings.split, job.hold_out
    ids: list[str] = []
    columns: list[dict[str, np.ndarray]] = []
    codes: list[Latents] = []
    dead_letters: list[DeadLetter] = []
    index = dataset.shard_index(split, task.source)
    for examples, letters in dataset.iter_shard(split, index, start=task.start, stop=task.stop):
        if hold_out:
            examples = examples.take(hold_out.keeps(examples.factors))
        ids += examples.ids
        columns.append(dict(examples.factors))
        codes.append(codec.encode(examples.observations, job.plan.blocks.anchors))
        dead_letters += letters
    return EncodedSlice(task, ids, _joined(columns), _joined(codes), dead_letters)


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
