"""Scales stored observations for the networks, and back: one class for each kind of observation.

Data sets and bundles store the `kind`, which selects the class. The same code handles arrays and
the tensors of either backend. Keras is imported only where it is used, so that data sets can be
read without it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from latentloom.model_zoo.word_counts import round_counts


class Scaling(Protocol):
    """Maps stored observations to the range of a model, and back."""

    kind: ClassVar[str]
    """Kind of observation, as data sets name it."""
    dtype: ClassVar[str]
    """Type of stored observations."""

    @classmethod
    def fit(cls, observations: np.ndarray) -> Scaling:
        """Fits the scaling to training examples, `(n, ...)` as stored."""
        ...

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Maps stored observations, already cast to float32, to the input of a model."""
        ...

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Maps decoded tensors to observations as stored."""
        ...

    @property
    def for_classifiers(self) -> Scaling:
        """The scaling for classifiers, which may differ from the scaling for models."""
        ...


@dataclass(frozen=True)
class PixelScaling:
    """Images: the levels 0 to 255 span the range of the model."""

    kind: ClassVar[str] = "image"
    dtype: ClassVar[str] = "uint8"

    @classmethod
    def fit(cls, observations: np.ndarray) -> PixelScaling:
        """Returns the scaling, which does not depend on the images."""
        return cls()

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Maps levels linearly to the range."""
        low, high = value_range
        return observations * ((high - low) / 255.0) + low

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Maps values to levels, rounded and clipped to 0 to 255."""
        from keras import ops

        low, high = value_range
        levels = ops.round((decoded - low) * (255.0 / (high - low)))
        return ops.cast(ops.clip(levels, 0.0, 255.0), "uint8")

    @property
    def for_classifiers(self) -> PixelScaling:
        """This scaling."""
        return self


PIXELS = PixelScaling()
"""The scaling of all images."""


@dataclass(frozen=True)
class Standardization:
    """Vectors: the mean of each feature, plus and minus a standard deviation, spans the range.

    Args:
        loc: Mean of each feature.
        scale: Standard deviation of each feature, above 0.
    """

    loc: tuple[float, ...]
    scale: tuple[float, ...]
    kind: ClassVar[str] = "vector"
    dtype: ClassVar[str] = "float32"

    @classmethod
    def fit(cls, observations: np.ndarray) -> Standardization:
        """Measures mean and deviation of the features; a constant feature is only centred."""
        loc = np.mean(observations, axis=0, dtype=np.float64)
        scale = np.std(observations, axis=0, dtype=np.float64)
        return cls(tuple(loc.tolist()), tuple(np.where(scale > 0, scale, 1.0).tolist()))

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Standardises features, then maps -1 and 1 to the ends of the range."""
        loc, scale = self._within(value_range)
        return (observations - loc) / scale

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Undoes `to_model`."""
        loc, scale = self._within(value_range)
        return decoded * scale + loc

    @property
    def for_classifiers(self) -> Standardization:
        """This scaling."""
        return self

    def _within(self, value_range: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        """Returns, for each feature, the stored value of the model's 0 and of one model unit."""
        low, high = value_range
        scale = np.asarray(self.scale) * (2.0 / (high - low))
        loc = np.asarray(self.loc) - scale * ((low + high) / 2.0)
        return loc.astype(np.float32), scale.astype(np.float32)


@dataclass(frozen=True)
class Counts:
    """Bags of words: a model reads the counts unscaled, whatever its range."""

    kind: ClassVar[str] = "counts"
    dtype: ClassVar[str] = "int32"

    @classmethod
    def fit(cls, observations: np.ndarray) -> Counts:
        """Returns the scaling, which does not depend on the documents."""
        return cls()

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Returns the counts unchanged."""
        return observations

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Rounds expected counts to integers, at least one word a document."""
        return round_counts(decoded)

    @property
    def for_classifiers(self) -> LogCounts:
        """Log counts, so that a frequent word does not outweigh the others."""
        return LogCounts()


@dataclass(frozen=True)
class LogCounts(Counts):
    """Bags of words as log counts, for classifiers."""

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Returns `log(1 + count)`."""
        if isinstance(observations, np.ndarray):
            return np.log1p(observations)
        from keras import ops

        return ops.log1p(observations)


SCALINGS: dict[str, type[Scaling]] = {
    scaling.kind: scaling for scaling in (PixelScaling, Standardization, Counts)
}


def describe_scaling(scaling: Any) -> dict[str, Any]:
    """Returns a scaling as plain data, for the description of a bundle."""
    return {"kind": scaling.kind, **dataclasses.asdict(scaling)}


def make_scaling(description: Mapping[str, Any]) -> Scaling:
    """Makes the scaling that `describe_scaling` described."""
    values = {name: tuple(value) for name, value in description.items() if name != "kind"}
    return SCALINGS[description["kind"]](**values)
