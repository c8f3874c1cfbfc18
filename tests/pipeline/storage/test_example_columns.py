"""Records made of columns have the bytes of protobuf."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from latentloom.pipeline.storage.example_columns import serialize_columns
from latentloom.pipeline.storage.tf_example import serialize

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(width=32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
COLUMNS = (
    st.lists(st.binary()),
    st.lists(TEXTS),
    st.lists(INTEGERS),
    st.lists(st.booleans()),
    st.lists(st.floats()),
    st.lists(st.lists(TEXTS, max_size=3)),
    st.lists(arrays(np.float32, array_shapes(max_dims=2, min_side=0, max_side=3))),
    st.lists(arrays(np.int64, array_shapes(max_dims=2, min_side=0, max_side=3))),
    arrays(np.int64, array_shapes(max_dims=2, max_side=5)),
    arrays(np.uint8, array_shapes(max_dims=1, max_side=5)),
    arrays(np.bool_, array_shapes(max_dims=1, max_side=5)),
    arrays(np.float64, array_shapes(max_dims=2, max_side=5)),
    arrays(np.float32, array_shapes(max_dims=2, max_side=5)),
)


def written_by_protobuf(features):
    """Returns the deterministic bytes of a record that TensorFlow's messages write."""
    example = tf.train.Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, (np.ndarray, np.generic, int, float)):
            values = np.ravel(value)
            is_float = values.dtype.kind == "f"
            field = feature.float_list if is_float else feature.int64_list
            field.value.extend(map(float if is_float else int, values))
        else:
            texts = value if isinstance(value, list) else [value]
            encoded = [text.encode() if isinstance(text, str) else text for text in texts]
            feature.bytes_list.value.extend(encoded)
    return example.SerializeToString(deterministic=True)


@given(st.dictionaries(TEXTS, st.one_of(COLUMNS), max_size=5))
def test_records_have_the_bytes_of_protobuf(columns):
    rows = min(map(len, columns.values()), default=0)
    columns = {name: column[:rows] for name, column in columns.items()}
    expected = [
        written_by_protobuf({name: column[row] for name, column in columns.items()})
        for row in range(rows)
    ]
    assert serialize_columns(columns) == expected


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_097_152])
def test_lengths_of_every_size_are_written(length):
    assert serialize_columns({"x": [b"a" * length]}) == [written_by_protobuf({"x": b"a" * length})]


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"x": [1, 0.5]}, TypeError, "Feature 'x' .* one type for all records.*Convert it first"),
        ({"x": [[1]]}, TypeError, "Feature 'x' has a wrong type.*int"),
        ({"x": [np.array(["a"])]}, TypeError, "Feature 'x' has a wrong type"),
        ({"x": [None]}, TypeError, "NoneType"),
        ({"x": [2**63]}, ValueError, "Feature 'x' has an integer that is too large"),
        ({"x": np.array([2**63], np.uint64)}, ValueError, "integer that is too large"),
        ({"x": [1], "y": [1, 2]}, ValueError, "differ in length.*Align them"),
    ],
)
def test_other_columns_are_refused(columns, error, message):
    with pytest.raises(error, match=message):
        serialize_columns(columns)


def test_one_record_is_a_row_of_columns():
    assert [serialize({"x": 3, "y": ["a"]})] == serialize_columns({"x": [3], "y": [["a"]]})
    assert serialize({}) == b""
