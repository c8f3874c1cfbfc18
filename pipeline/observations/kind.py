"""The protocol of a kind of observation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from latentloom.model_zoo.scaling import Scaling
from latentloom.pipeline.observations.tfds_features import Feature

BATCH_BYTES = 64 << 20
"""Bytes of decoded observations that are held at a time, unless a single one is larger."""
BATCH_SIZE = 1024
"""Largest number of observations that are held at a time."""


class Kind(Protocol):
    """The protocol of a kind of observation: how to store, decode, scale and name it."""

    feature: ClassVar[str]
    """Name of the feature that holds the observation in a record."""
    one: ClassVar[str]
    many: ClassVar[str]
    """Singular and plural name of the observations, for people."""
    stored_as: ClassVar[str]
    """Type and format of a stored observation, for people."""
    damaged: ClassVar[str]
    """Reason why `decode` leaves out an observation."""
    can_resize: ClassVar[bool]
    """Whether `--image-size` applies."""
    stays_in_shards: ClassVar[bool]
    """Whether observations are read from local shards row by row, since they outgrow memory."""
    has_detail: ClassVar[bool] = True
    """Whether what a reconstruction lacks can be added to another observation."""
    scaling: ClassVar[type[Scaling]]
    """How to scale them for a model."""
    unit: ClassVar[str]
    """Unit of differences between two observations, for people."""
    tolerance: ClassVar[float]
    """Largest difference of a value, in `unit`, that another kind of CPU may cause."""

    def batch_size(self, shape: Sequence[int], most: int = BATCH_SIZE) -> int:
        """Returns how many observations of a shape to hold at a time, by their bytes.

        Args:
            shape: Event shape.
            most: Largest number, however small the observations are.
        """
        num_bytes = math.prod(shape) * np.dtype(self.scaling.dtype).itemsize
        return max(1, min(most, BATCH_BYTES // max(num_bytes, 1)))

    def check_shape(self, shape: Sequence[int]) -> str:
        """Returns the allowed event shapes as text, or an empty string if this shape is allowed."""
        ...

    def tfds_feature(self, shape: Sequence[int]) -> Feature:
        """Returns the TFDS feature for an event shape."""
        ...

    def encode(self, observations: np.ndarray) -> Sequence[bytes | np.ndarray]:
        """Returns the feature's value for each observation; equal inputs give equal values."""
        ...

    def parse(self, feature: Any, shape: tuple[int, ...]) -> bytes | np.ndarray | str:
        """Reads the value from a `tf.train.Feature`; returns a reason as text if it is unusable."""
        ...

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decodes parsed values; returns the intact ones as an array, and a bool mask of them."""
        ...

    def detail(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """Returns statistics of the detail of observations, `(n,)` each; none by default."""
        return {}

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str] | None:
        """Returns factor and unit in which squared errors are reported; None to report none."""
        ...

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """Returns the unit of differences, of the event shape or `()`; may `read` observations."""
        ...
