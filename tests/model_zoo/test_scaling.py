import json

import keras
import numpy as np
import pytest
from keras import ops

from latentloom.model_zoo.scaling import (
    PIXELS,
    Counts,
    Standardization,
    describe_scaling,
    make_scaling,
)

RANGES = [(-1.0, 1.0), (0.0, 1.0)]


@pytest.fixture
def vectors() -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(500, 3))
    return (noise * [0.1, 5.0, 0.0] + [100.0, -3.0, 7.0]).astype(np.float32)


@pytest.mark.parametrize("value_range", RANGES)
def test_levels_span_the_range_and_come_back(value_range):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    scaled = PIXELS.to_model(levels.astype(np.float32), value_range)
    assert scaled.dtype == np.float32
    assert (scaled.min(), scaled.max()) == value_range
    back = ops.convert_to_numpy(PIXELS.from_model(ops.convert_to_tensor(scaled), value_range))
    np.testing.assert_array_equal(back, levels)


def test_values_beyond_the_range_are_the_outermost_levels():
    decoded = ops.convert_to_tensor(np.float32([-3.0, 3.0]))
    found = ops.convert_to_numpy(PIXELS.from_model(decoded, (-1.0, 1.0)))
    assert found.tolist() == [0, 255]


@pytest.mark.parametrize("value_range", RANGES)
def test_a_standard_deviation_about_the_mean_spans_the_range(vectors, value_range):
    scaled = Standardization.fit(vectors).to_model(vectors, value_range)
    assert scaled.dtype == np.float32
    low, high = value_range
    np.testing.assert_allclose(scaled.mean(axis=0), (low + high) / 2, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=0)[:2], (high - low) / 2, rtol=1e-3)
    assert np.ptp(scaled[:, 2]) == 0


@pytest.mark.parametrize("value_range", RANGES)
def test_vectors_come_back_from_the_range_of_the_model(vectors, value_range):
    scaling = Standardization.fit(vectors)
    scaled = ops.convert_to_tensor(scaling.to_model(vectors, value_range))
    back = scaling.from_model(scaled, value_range)
    assert keras.backend.standardize_dtype(back.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(back), vectors, rtol=1e-5)


def test_a_scaling_is_rebuilt_from_json(vectors):
    for scaling in (PIXELS, Standardization.fit(vectors), Counts()):
        text = json.dumps(describe_scaling(scaling))
        assert make_scaling(json.loads(text)) == scaling


def test_models_see_counts_and_classifiers_their_logarithms():
    counts = np.float32([[0, 1, 9], [3, 0, 0]])
    for value_range in RANGES:
        np.testing.assert_array_equal(Counts().to_model(counts, value_range), counts)
        seen = Counts().for_classifiers.to_model(ops.convert_to_tensor(counts), value_range)
        np.testing.assert_allclose(ops.convert_to_numpy(seen), np.log1p(counts), rtol=1e-6)
        np.testing.assert_array_equal(
            Counts().for_classifiers.to_model(counts, value_range), np.log1p(counts)
        )


def test_expected_counts_become_whole_ones():
    expected = ops.convert_to_tensor(np.float32([[0.5, 1.5, 2.0], [0.0, 0.0, 0.1]]))
    found = ops.convert_to_numpy(Counts().from_model(expected, (-1.0, 1.0)))
    assert found.dtype == np.int32
    assert found.sum(axis=1).tolist() == [4, 1]


@pytest.mark.parametrize("scaling", [PIXELS, Standardization((0.0,), (1.0,))])
def test_classifiers_see_other_observations_as_models_do(scaling):
    assert scaling.for_classifiers is scaling
