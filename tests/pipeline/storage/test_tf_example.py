"""Records are the bytes that TensorFlow reads and writes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from latentloom.pipeline.storage.tf_example import (
    Example,
    PlainFeatures,
    plain_features,
    serialize,
)

TEXTS = st.lists(st.just("x"), max_size=2)

VALUES = {"b": b"\xff", "t": "é", "i": -3, "n": np.int64(7), "f": 0.5, "l": ["x", "é"]}
VALUES |= {"yes": True, "no": np.bool_(False), "g": np.float32(0.25), "none": []}


def test_bytes_are_those_of_tensorflow():
    reference = tf.train.Example.FromString(serialize(VALUES))
    assert reference.SerializeToString(deterministic=True) == serialize(VALUES)


def test_what_tensorflow_wrote_is_read():
    reference = tf.train.Example()
    reference.features.feature["x"].float_list.value.extend([0.5, 2.0])
    reference.features.feature["y"].int64_list.value.append(-1)
    found = Example.FromString(reference.SerializeToString()).features.feature
    assert list(found["x"].float_list.value) == [0.5, 2.0]
    assert list(found["y"].int64_list.value) == [-1]


def test_serialize_keeps_every_kind_of_value():
    found = tf.train.Example.FromString(serialize(VALUES)).features.feature
    assert found["b"].bytes_list.value == [b"\xff"]
    assert found["t"].bytes_list.value == ["é".encode()]
    assert [found[name].int64_list.value[0] for name in ("i", "n", "yes", "no")] == [-3, 7, 1, 0]
    assert [found[name].float_list.value[0] for name in ("f", "g")] == [0.5, 0.25]
    assert found["l"].bytes_list.value == [b"x", "é".encode()]
    assert found["none"].bytes_list.value == []


def test_serialize_does_not_depend_on_the_order_of_the_features():
    names = [f"feature{number}" for number in range(50)]
    features = {name: number for number, name in enumerate(names)}
    assert serialize(features) == serialize(dict(reversed(features.items())))


def test_serialize_refuses_other_kinds():
    with pytest.raises(TypeError, match="Feature 'x' .* Convert it first"):
        serialize({"x": [1, 2]})  # type: ignore[dict-item]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abc"),
            st.one_of(st.integers(0, 9), st.just(0.5), st.just("é"), st.just(b"\xff"), TEXTS),
            max_size=3,
        ),
        max_size=6,
    )
)
def test_plain_values_do_not_depend_on_the_record_before(records):
    reader = PlainFeatures(without="c")
    for record in records:
        features, found = reader.read(serialize(record))
        plain = {name: v[0] if v in (["x"], [b"x"]) else v for name, v in record.items()}
        assert found == {name: value for name, value in plain.items() if name != "c"}
        assert set(features) == set(record)
        assert plain_features(serialize(record)) == plain
