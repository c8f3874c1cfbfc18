"""What the pipeline asks of a kind of observation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from latentloom.model_zoo.scaling import Scaling


class Kind(Protocol):
    """What the pipeline needs to know of a kind of observation."""

    feature: ClassVar[str]
    """Name of the feature that holds the observation in a record."""
    one: ClassVar[str]
    many: ClassVar[str]
    """What people call one of them, and several."""
    stored_as: ClassVar[str]
    """Type and format of a stored observation, for people."""
    damaged: ClassVar[str]
    """Why an observation that `decode` leaves out cannot be used."""
    can_resize: ClassVar[bool]
    """Whether `--image-size` makes sense of them."""
    scaling: ClassVar[type[Scaling]]
    """How they are scaled for a model."""
    unit: ClassVar[str]
    """What differences between two of them are counted in, for people."""
    tolerance: ClassVar[float]
    """How far a value may differ, in that unit, where another kind of CPU has made it."""

    def check_shape(self, shape: Sequence[int]) -> str:
        """Says why no data set can have this event shape; empty if it can."""
        ...

    def tfds_feature(self, shape: Sequence[int]) -> Any:
        """The TFDS feature of observations of an event shape."""
        ...

    def encode(self, observations: np.ndarray) -> Sequence[bytes | np.ndarray]:
        """The value of the feature in the record of each observation; equal ones are equal."""
        ...

    def parse(self, feature: Any, shape: tuple[int, ...]) -> bytes | np.ndarray | str:
        """Reads the value from a `tf.train.Feature`, or says why it cannot be used."""
        ...

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decodes parsed values: those that are intact as one array, and which these are."""
        ...

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str] | None:
        """Factor from squared stored units to those that errors are told in, and their name; None
        where squared errors tell nothing."""
        ...

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """The unit of differences, of the event shape or `()`, from observations if need be."""
        ...
