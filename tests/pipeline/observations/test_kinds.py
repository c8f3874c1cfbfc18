"""Every kind of observation goes into a record and comes out of it."""

import numpy as np
import pytest
import tensorflow as tf

from latentloom.model_zoo.scaling import SCALINGS
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.tf_example import serialize

RNG = np.random.default_rng(0)
OBSERVATIONS = {
    "image": RNG.integers(0, 256, (5, 4, 3, 1), dtype=np.uint8),
    "vector": RNG.normal(size=(5, 3)).astype(np.float32),
    "counts": np.int32([[0, 3, 1], [1, 0, 2], [0, 2, 2], [9, 0, 70_000], [0, 0, 1]]),
}
DAMAGES = {
    "image": lambda png: png[:-10],
    "vector": lambda vector: vector * np.float32(np.inf),
    "counts": lambda pairs: pairs[::-1],
}


def features(name: str) -> list:
    """The feature of each observation as it is read from a record."""
    kind = KINDS[name]
    records = [serialize({kind.feature: value}) for value in kind.encode(OBSERVATIONS[name])]
    parsed = [tf.train.Example.FromString(record) for record in records]
    return [example.features.feature[kind.feature] for example in parsed]


def test_the_kinds_are_those_that_models_are_scaled_for():
    assert list(KINDS) == list(SCALINGS) == list(OBSERVATIONS)
    assert len({kind.feature for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_records_give_back_what_was_written(name):
    kind, expected = KINDS[name], OBSERVATIONS[name]
    values = [kind.parse(feature, expected.shape[1:]) for feature in features(name)]
    found, intact = kind.decode(values, expected.shape[1:])
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype == kind.scaling.dtype
    assert intact.tolist() == [True] * 5


@pytest.mark.parametrize("name", KINDS)
def test_no_values_are_an_empty_batch(name):
    shape = OBSERVATIONS[name].shape[1:]
    found, intact = KINDS[name].decode([], shape)
    assert found.shape == (0, *shape)
    assert len(intact) == 0


@pytest.mark.parametrize("name", KINDS)
def test_what_is_damaged_is_left_out_and_named(name):
    kind, shape = KINDS[name], OBSERVATIONS[name].shape[1:]
    values = [kind.parse(feature, shape) for feature in features(name)]
    values[2] = DAMAGES[name](values[2])
    found, intact = kind.decode(values, shape)
    assert intact.tolist() == [True, True, False, True, True]
    np.testing.assert_array_equal(found, OBSERVATIONS[name][intact])


@pytest.mark.parametrize("name", KINDS)
def test_a_feature_that_does_not_fit_gives_the_reason(name):
    kind, shape = KINDS[name], OBSERVATIONS[name].shape[1:]
    assert f"'{kind.feature}'" in str(kind.parse(tf.train.Feature(), shape))
    other = (*shape[:-1], shape[-1] - 1)
    assert "instead of" in str(kind.parse(features(name)[0], other))


def test_vectors_differ_in_deviations_of_each_feature_and_images_in_levels():
    vectors = OBSERVATIONS["vector"] * np.float32([1, 100, 0])
    unit = KINDS["vector"].difference_unit(lambda: vectors)
    np.testing.assert_allclose(unit[:2], vectors[:, :2].std(axis=0), rtol=1e-6)
    assert unit[2] == 1
    assert KINDS["vector"].difference_unit(lambda: vectors[:0]) == 1

    def read() -> np.ndarray:
        raise AssertionError("images need not be read")

    assert KINDS["image"].difference_unit(read) == 1


@pytest.mark.parametrize(
    ("name", "shape", "fits"),
    [
        ("image", (4, 4, 1), True),
        ("image", (4, 4, 2), False),
        ("image", (4,), False),
        ("vector", (2,), True),
        ("vector", (0,), False),
        ("vector", (4, 4, 1), False),
        ("counts", (2,), True),
        ("counts", (1,), False),
        ("counts", (50_001,), False),
        ("counts", (4, 4, 1), False),
    ],
)
def test_shapes_belong_to_their_kind(name, shape, fits):
    assert (not KINDS[name].check_shape(shape)) == fits


@pytest.mark.parametrize(
    "pairs", [[[0, 0]], [[0, -2]], [[0, 2**24 + 1]], [[1, 2], [1, 3]], [[2, 1], [0, 1]]]
)
def test_counts_that_are_none_or_words_out_of_order_are_damaged(pairs):
    values = [np.int64([[0, 1]]), np.int64(pairs), np.int64([[2, 4]])]
    found, intact = KINDS["counts"].decode(values, (3,))
    assert intact.tolist() == [True, False, True]
    assert found.tolist() == [[1, 0, 0], [0, 0, 4]]


def test_a_document_is_stored_as_long_as_it_has_words():
    first, *_, last = KINDS["counts"].encode(OBSERVATIONS["counts"])
    assert (first.tolist(), last.tolist()) == ([[1, 3], [2, 1]], [[2, 1]])
    odd = tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2, 3]))
    assert "not pairs" in str(KINDS["counts"].parse(odd, (3,)))
