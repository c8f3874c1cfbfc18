"""The message `tf.train.Example`, defined here so records need no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from latentloom.pipeline.storage.example_columns import serialize_columns

_FIELD = descriptor_pb2.FieldDescriptorProto
_LISTS = {
    "bytes_list": ("BytesList", _FIELD.TYPE_BYTES),
    "float_list": ("FloatList", _FIELD.TYPE_FLOAT),
    "int64_list": ("Int64List", _FIELD.TYPE_INT64),
}
_PACKAGE = "tensorflow"

Value = bytes | str | int | float | Sequence[str] | np.ndarray


def _describe() -> descriptor_pb2.FileDescriptorProto:
    """Returns the messages of TensorFlow's `example.proto` and `feature.proto`."""
    file = descriptor_pb2.FileDescriptorProto(
        name="latentloom/example.proto", package=_PACKAGE, syntax="proto3"
    )

    def add(message: Any, name: str, number: int, **settings) -> None:
        if "type_name" in settings:
            settings |= {
                "type": _FIELD.TYPE_MESSAGE,
                "type_name": f".{_PACKAGE}.{settings['type_name']}",
            }
        message.field.add(name=name, number=number, **{"label": _FIELD.LABEL_OPTIONAL, **settings})

    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, (message, kind)) in enumerate(_LISTS.items(), start=1):
        add(file.message_type.add(name=message), "value", 1, type=kind, label=_FIELD.LABEL_REPEATED)
        add(feature, name, number, type_name=message, oneof_index=0)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    add(entry, "key", 1, type=_FIELD.TYPE_STRING)
    add(entry, "value", 2, type_name="Feature")
    add(features, "feature", 1, type_name="Features.FeatureEntry", label=_FIELD.LABEL_REPEATED)
    add(file.message_type.add(name="Example"), "features", 1, type_name="Features")
    return file


def _message_class() -> Any:
    pool = descriptor_pool.DescriptorPool()  # TensorFlow's pool has these names
    pool.Add(_describe())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Example"))


Example: Any = _message_class()
"""The message class."""


def serialize(features: Mapping[str, Value]) -> bytes:
    """Makes the bytes of a `tf.train.Example`; equal features give equal bytes.

    Args:
        features: One value per feature: bytes, text (UTF-8), an integer or boolean (int64), a
            float (float32), a sequence of texts, or an array of floats (float32) or of integers
            (int64), in C order.

    Raises:
        TypeError: If a value has another type.
    """
    return next(iter(serialize_columns({name: [value] for name, value in features.items()})), b"")


def plain_features(data: bytes) -> dict[str, Any]:
    """Returns the features of a record as plain values; bytes that are not UTF-8 stay bytes.

    Unpacks a feature with one value; a feature with several values or none is a list.
    """
    found = {}
    for name, feature in Example.FromString(data).features.feature.items():
        kind = feature.WhichOneof("kind")
        values = list(getattr(feature, kind).value) if kind else []
        if kind == "bytes_list":
            values = [_as_text(value) for value in values]
        found[name] = values[0] if len(values) == 1 else values
    return found


def _as_text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
