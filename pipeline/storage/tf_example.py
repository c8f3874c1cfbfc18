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
    return PlainFeatures().read(data)[1]


class PlainFeatures:
    """Turns the features of records into plain values, like `plain_features`.

    Remembers names and kinds of the features of a record: the next one mostly has the same.

    Args:
        without: Name of a feature to leave out.
    """

    def __init__(self, without: str = ""):
        self._without = without
        self._kinds: list[tuple[str, str | None]] = []
        self._count = 0

    def read(self, data: bytes) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """Returns the features of a record, by name: as messages, and their plain values.

        Raises:
            DecodeError: If it is not a `tf.train.Example`.
        """
        features = Example.FromString(data).features.feature
        if len(features) == self._count:
            found = self._plain(features)
            same = len(features) == self._count  # a look at a missing feature adds it
            if same and len(found) + (self._without in features) == self._count:
                return features, found
            features = Example.FromString(data).features.feature
        self._count = len(features)
        kinds = {name: feature.WhichOneof("kind") for name, feature in features.items()}
        self._kinds = [pair for pair in kinds.items() if pair[0] != self._without]
        return features, self._plain(features)

    def _plain(self, features: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, kind in self._kinds:
            feature = features[name]
            if kind == "bytes_list":
                values = feature.bytes_list.value
            elif kind == "int64_list":
                values = feature.int64_list.value
            else:
                values = feature.float_list.value
            found[name] = _as_text(values[0]) if len(values) == 1 else _all_values(feature)
        return found


def _all_values(feature: Any) -> Any:
    """Returns the values of a feature of any kind: a list, or the value if it is one."""
    kind = feature.WhichOneof("kind")
    values = [_as_text(value) for value in getattr(feature, kind).value] if kind else []
    return values[0] if len(values) == 1 else values


def _as_text(value: Any) -> Any:
    """Decodes bytes if they are UTF-8; returns other values unchanged."""
    if type(value) is not bytes:
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
