"""How stored observations become what networks see, and back: one class a kind of observation.

The classes are told apart by `kind`, which data sets and bundles store. Arrays and the tensors of
either backend go through the same lines; Keras is imported where it works, so that data sets can be
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
    """Maps observations between how they are stored and the range of a model."""

    kind: ClassVar[str]
    """The kind of observation, as data sets name it."""
    dtype: ClassVar[str]
    """Type of stored observations."""

    @classmethod
    def fit(cls, observations: np.ndarray) -> Scaling:
        """Learns what there is to learn from training examples, `(n, ...)` as stored."""
        ...

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Maps stored observations, already cast to float32, to what a model sees."""
        ...

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Maps tensors that a model decoded to observations as they are stored."""
        ...

    @property
    def for_classifiers(self) -> Scaling:
        """How a classifier sees the same observations, which is not always as a model does."""
        ...


@dataclass(frozen=True)
class PixelScaling:
    """Images: the levels 0 to 255 span the range of the model."""

    kind: ClassVar[str] = "image"
    dtype: ClassVar[str] = "uint8"

    @classmethod
    def fit(cls, observations: np.ndarray) -> PixelScaling:
        """The same for all images."""
        return cls()

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Maps levels linearly to the range."""
        low, high = value_range
        return observations * ((high - low) / 255.0) + low

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Maps values to levels, rounded and cut to 0 to 255."""
        from keras import ops

        low, high = value_range
        levels = ops.round((decoded - low) * (255.0 / (high - low)))
        return ops.cast(ops.clip(levels, 0.0, 255.0), "uint8")

    @property
    def for_classifiers(self) -> PixelScaling:
        """The same."""
        return self


PIXELS = PixelScaling()
"""The only one of its kind."""


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
        """Measures the features; one that never varies is only centred."""
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
        """The same."""
        return self

    def _within(self, value_range: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
        """What 0 of the model stands for, and what one unit of it is, of each feature."""
        low, high = value_range
        scale = np.asarray(self.scale) * (2.0 / (high - low))
        loc = np.asarray(self.loc) - scale * ((low + high) / 2.0)
        return loc.astype(np.float32), scale.astype(np.float32)


@dataclass(frozen=True)
class Counts:
    """Bags of words: a model sees the counts themselves, whatever its range."""

    kind: ClassVar[str] = "counts"
    dtype: ClassVar[str] = "int32"

    @classmethod
    def fit(cls, observations: np.ndarray) -> Counts:
        """The same for all documents."""
        return cls()

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """Leaves counts as they are."""
        return observations

    def from_model(self, decoded: Any, value_range: tuple[float, float]) -> Any:
        """Rounds expected counts to whole ones, at least one word a document."""
        return round_counts(decoded)

    @property
    def for_classifiers(self) -> LogCounts:
        """Logarithms, so that a word that is often repeated does not drown the others."""
        return LogCounts()


@dataclass(frozen=True)
class LogCounts(Counts):
    """Bags of words as classifiers see them."""

    def to_model(self, observations: Any, value_range: tuple[float, float]) -> Any:
        """The logarithm of 1 + count."""
        if isinstance(observations, np.ndarray):
            return np.log1p(observations)
        from keras import ops

        return ops.log1p(observations)


SCALINGS: dict[str, type[Scaling]] = {
    scaling.kind: scaling for scaling in (PixelScaling, Standardization, Counts)
}


def describe_scaling(scaling: Any) -> dict[str, Any]:
    """A scaling as plain data, for the description of a bundle."""
    return {"kind": scaling.kind, **dataclasses.asdict(scaling)}


def make_scaling(description: Mapping[str, Any]) -> Scaling:
    """The scaling that `describe_scaling` described."""
    values = {name: tuple(value) for name, value in description.items() if name != "kind"}
    return SCALINGS[description["kind"]](**values)
