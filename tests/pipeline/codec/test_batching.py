"""Functions of one batch, run over columns of any length."""

import numpy as np
import pytest
from keras import ops

from latentloom.pipeline.codec.batching import BATCH_SIZE, Batched, rows_at_once

ROW = {"codes": ((3,), "float32")}


@pytest.fixture(scope="module")
def run():
    def twice(columns):
        codes = columns["codes"]
        return {"twice": 2.0 * codes, "rows": ops.ones_like(codes[:, 0]) * codes.shape[0]}

    return Batched(twice, [], ROW)


@pytest.fixture(scope="module")
def seeds():
    def seed(columns):
        return {"seed": ops.ones_like(columns["codes"][:, :2], "int32") * columns["seed"]}

    return Batched(seed, [], ROW, seeded=True)


@pytest.mark.parametrize("count", [0, 1, BATCH_SIZE, BATCH_SIZE + 1])
def test_every_call_is_of_one_size_and_no_padding_comes_out(run, count):
    codes = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    result = run({"codes": codes})
    np.testing.assert_array_equal(result["twice"], 2 * codes)
    assert set(result["rows"].tolist()) <= {BATCH_SIZE}


def test_every_batch_has_random_numbers_of_its_own(seeds):
    codes = {"codes": np.zeros((BATCH_SIZE + 1, 3), np.float32)}
    found = seeds(codes, seed=2**31 + 5)["seed"]
    assert found[[0, -2, -1]].tolist() == [[5, 0], [5, 0], [5, 1]]
    np.testing.assert_array_equal(seeds(codes, seed=5)["seed"], found)


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ((28, 28, 1), 64),
        ((512, 512, 3), 64),
        ((1024, 1024, 3), 21),
        ((4000, 4000, 1), 4),
        ((2,), 64),
    ],
)
def test_a_call_holds_fewer_large_observations(shape, rows):
    assert rows_at_once(shape) == rows
