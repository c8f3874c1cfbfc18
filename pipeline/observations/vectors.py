"""Vectors of features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from latentloom.model_zoo.scaling import Standardization
from latentloom.pipeline.observations.kind import Kind
from latentloom.pipeline.observations.tfds_features import Feature, tensor

MOST_FEATURES = 1 << 20
"""Largest number of features of a vector."""


class VectorKind(Kind):
    """Vectors, `(features,)` float32, stored unchanged."""

    feature = "observation"
    one, many = "vector", "vectors"
    stored_as = "float32"
    damaged = "the vector is not finite"
    can_resize = False
    stays_in_shards = False
    scaling = Standardization
    unit, tolerance = "standard deviations", 1e-5

    def check_shape(self, shape: Sequence[int]) -> str:
        """Vectors have one axis of at most `MOST_FEATURES` features."""
        fits = len(shape) == 1 and 1 <= shape[0] <= MOST_FEATURES
        return "" if fits else f"(features,) with 1 to {MOST_FEATURES:,} features"

    def tfds_feature(self, shape: Sequence[int]) -> Feature:
        """Returns a tensor of float32."""
        return tensor(shape, "float32")

    def encode(self, observations: np.ndarray) -> Sequence[np.ndarray]:
        """Returns the vectors unchanged."""
        return list(observations.astype(np.float32, copy=False))

    def parse(self, feature: Any, shape: tuple[int, ...]) -> np.ndarray | str:
        """Reads one float per feature."""
        values = feature.float_list.value
        if len(values) != shape[0]:
            return f"feature 'observation' has {len(values)} floats instead of {shape[0]}"
        return np.array(values, np.float32)

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Stacks the vectors that are finite."""
        vectors = np.array(values, np.float32).reshape(-1, *shape)
        intact = np.logical_and.reduce(np.isfinite(vectors), axis=-1)
        return vectors[intact], intact

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str]:
        """Returns the factor 1: errors are in the units of the features."""
        return 1.0, "of the features, in squared units of the data,"

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """Returns the standard deviation of each feature, 1 for a constant feature."""
        vectors = read()
        return np.array(Standardization.fit(vectors).scale if len(vectors) else 1.0)
