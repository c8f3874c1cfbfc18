"""Functions of one batch, run over columns of any length."""

import numpy as np
import pytest
from keras import backend, ops

from latentloom.pipeline.codec.batching import (
    BATCH_SIZE,
    MOST_ROWS,
    UNIT,
    Batched,
    most_rows_at_once,
    rows_at_once,
)

ROW, SHAPE = {"codes": ((3,), "float32")}, (28, 28, 1)
ON_JAX = backend.backend() == "jax"


@pytest.fixture(scope="module")
def run():
    def twice(columns):
        codes = columns["codes"]
        ones = ops.ones_like(codes[:, 0])
        return {"twice": 2.0 * codes, "rows": ones * ops.sum(ones)}

    return Batched(twice, [], ROW, SHAPE)


@pytest.fixture(scope="module")
def seeds():
    def seed(columns):
        return {"seed": ops.ones_like(columns["codes"][:, :2], "int32") * columns["seed"]}

    return Batched(seed, [], ROW, SHAPE, seeded=True)


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (0, {}),
        (1, {UNIT}),
        (UNIT + 1, {2 * UNIT}),
        (BATCH_SIZE, {BATCH_SIZE}),
        (2 * MOST_ROWS + 3, {MOST_ROWS, UNIT}),
    ],
)
def test_calls_are_full_but_the_last_and_no_padding_comes_out(run, count, calls):
    codes = np.random.default_rng(0).normal(size=(count, 3)).astype(np.float32)
    result = run({"codes": codes})
    np.testing.assert_array_equal(result["twice"], 2 * codes)
    assert set(result["rows"].tolist()) == ({BATCH_SIZE} if ON_JAX and count else set(calls))


def test_every_batch_has_random_numbers_of_its_own(seeds):
    codes = {"codes": np.zeros((BATCH_SIZE + 1, 3), np.float32)}
    found = seeds(codes, seed=2**31 + 5)["seed"]
    assert found[[0, -2, -1]].tolist() == [[5, 0], [5, 0], [5, 1]]
    np.testing.assert_array_equal(seeds(codes, seed=5)["seed"], found)


@pytest.mark.parametrize(
    ("shape", "rows", "most"),
    [
        ((28, 28, 1), 64, 256),
        ((64, 64, 3), 64, 80),
        ((128, 128, 3), 64, 64),
        ((512, 512, 3), 64, 64),
        ((1024, 1024, 3), 21, 21),
        ((4000, 4000, 1), 4, 4),
        ((2,), 64, 256),
    ],
)
def test_a_call_holds_fewer_large_observations(shape, rows, most):
    assert rows_at_once(shape) == rows
    assert most_rows_at_once(shape) == most
