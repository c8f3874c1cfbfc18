"""Features as TensorFlow Datasets describes them in `features.json`, made without TFDS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Feature = dict[str, Any]
"""A feature as JSON."""

_FEATURES = "tensorflow_datasets.core.features"


def text() -> Feature:
    """Returns the feature of one text."""
    return {"pythonClassName": f"{_FEATURES}.text_feature.Text", "text": {}}


def sequence(feature: Feature) -> Feature:
    """Returns the feature of any number of values of a feature."""
    name = f"{_FEATURES}.sequence_feature.Sequence"
    return {"pythonClassName": name, "sequence": {"feature": feature, "length": "-1"}}


def scalar(dtype: str) -> Feature:
    """Returns the feature of one number or truth value, such as `float32`."""
    return {"pythonClassName": f"{_FEATURES}.scalar.Scalar", "tensor": _tensor((), dtype)}


def tensor(shape: Sequence[int | None], dtype: str) -> Feature:
    """Returns the feature of an array; an axis of any length is None."""
    return {
        "pythonClassName": f"{_FEATURES}.tensor_feature.Tensor",
        "tensor": _tensor(shape, dtype),
    }


def image(shape: Sequence[int]) -> Feature:
    """Returns the feature of an image in PNG."""
    content = {"dtype": "uint8", "encodingFormat": "png", "shape": _shape(shape)}
    return {"pythonClassName": f"{_FEATURES}.image_feature.Image", "image": content}


def class_label(num_classes: int) -> Feature:
    """Returns the feature of a class, stored by number."""
    return {
        "pythonClassName": f"{_FEATURES}.class_label_feature.ClassLabel",
        "classLabel": {"numClasses": str(num_classes)},
    }


def record(features: Mapping[str, Feature]) -> Feature:
    """Returns the features of a whole record, by name."""
    return {
        "pythonClassName": f"{_FEATURES}.features_dict.FeaturesDict",
        "featuresDict": {"features": dict(features)},
    }


def _tensor(shape: Sequence[int | None], dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "encoding": "none", "shape": _shape(shape)}


def _shape(shape: Sequence[int | None]) -> dict[str, Any]:
    sizes = [str(-1 if size is None else size) for size in shape]
    return {"dimensions": sizes} if sizes else {}
