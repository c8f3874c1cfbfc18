"""Summaries of slices, merged by Beam in any order."""

import itertools

import apache_beam as beam
import numpy as np
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from latentloom.augment import Coverage, DonorBank
from latentloom.pipeline.generation.engines import IN_PROCESS, make_runner
from latentloom.pipeline.generation.merging import MergeAll

NAMES = {"label": ("a", "b")}


def coverages() -> list[Coverage]:
    columns = ([0, 0, 1], [1], [0, 1, 1])
    return [Coverage(NAMES).count({"label": np.array(column)}) for column in columns]


def banks() -> list[DonorBank]:
    def bank(part: int) -> DonorBank:
        ids = [f"{part}/{n}" for n in range(4)]
        latents = {"zs": np.arange(4, dtype=np.float32)[:, None] + part}
        return DonorBank.build(ids, {"label": np.arange(4) % 2}, latents, seed=0, capacity=3)

    return [bank(part) for part in range(3)]


def merged(parts):
    combine = MergeAll()
    states = []
    for part in parts:
        states.append(combine.add_input(combine.create_accumulator(), part))
    states.append(combine.create_accumulator())  # of a worker that got nothing
    return combine.extract_output(combine.merge_accumulators(states))


def test_counts_and_banks_are_the_same_in_any_order():
    for order in itertools.permutations(range(3)):
        assert merged([coverages()[place] for place in order]) == merged(coverages())
        bank = merged([banks()[place] for place in order])
        assert bank.ids.tolist() == merged(banks()).ids.tolist()
    assert merged(coverages()).counts == {(0,): 3, (1,): 4}


def test_nothing_merges_to_none():
    assert merged([]) is None


def test_beam_merges_to_the_same_counts():
    with TestPipeline(runner=make_runner(IN_PROCESS.runner)) as pipeline:
        counts = (
            pipeline
            | beam.Create(coverages())
            | beam.CombineGlobally(MergeAll())
            | beam.Map(Coverage.to_dict)
        )
        assert_that(counts, equal_to([merged(coverages()).to_dict()]))
