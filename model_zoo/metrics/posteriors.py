"""Posteriors of one block for many examples, as arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class GaussianPosteriors:
    """One diagonal Gaussian and one sample of it for each example.

    Args:
        loc: `(n, dim)`, means.
        scale: `(n, dim)`, standard deviations, above 0.
        codes: `(n, dim)`, code `i` drawn from posterior `i`.

    Raises:
        ValueError: Shapes differ, a number is not finite, or a scale is not above 0.
    """

    loc: np.ndarray
    scale: np.ndarray
    codes: np.ndarray

    def __post_init__(self) -> None:
        for name in ("loc", "scale", "codes"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        shapes = [array.shape for array in (self.loc, self.scale, self.codes)]
        if len(set(shapes)) != 1 or len(shapes[0]) != 2 or not self.loc.size:
            raise ValueError(
                "The Gaussian posteriors do not fit together. Expected: loc, scale and codes of "
                f"shape (n, dim), not empty. Received: shapes={shapes}. Pass all of one block."
            )
        finite = all(np.isfinite(array).all() for array in (self.loc, self.scale, self.codes))
        if not finite or self.scale.min() <= 0:
            raise ValueError(
                "The Gaussian posteriors have no densities. Expected: finite numbers and scales "
                f"above 0. Received: finite={finite}, least scale={self.scale.min()}. Leave out "
                "blocks that are points."
            )

    def __len__(self) -> int:
        return len(self.loc)

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return self.loc.shape[1]

    @cached_property
    def own_log_density(self) -> np.ndarray:
        """Log density of each dimension of code `i` under posterior `i`, `(n, dim)` in nats."""
        standardised = (self.codes - self.loc) / self.scale
        return -0.5 * (standardised**2 + math.log(2 * math.pi)) - np.log(self.scale)

    def log_density(self, rows: slice) -> np.ndarray:
        """Log density of some codes under all posteriors, `(rows, n)` in nats."""
        codes = self.codes[rows] - self._centre
        powers = np.concatenate([codes**2, codes], axis=1)
        return powers @ self._coefficients.T + self._constants

    @cached_property
    def _centre(self) -> np.ndarray:
        """Offset of the codes, which keeps expanded squares small."""
        return self.loc.mean(axis=0)

    @cached_property
    def _coefficients(self) -> np.ndarray:
        """Coefficients of squares and of codes in the exponent of each density, `(n, 2 dim)`."""
        precision = 1 / self.scale**2
        return np.concatenate([-0.5 * precision, precision * (self.loc - self._centre)], axis=1)

    @cached_property
    def _constants(self) -> np.ndarray:
        """Constant term in the exponent of each density, `(n,)`."""
        squares = ((self.loc - self._centre) / self.scale) ** 2
        return -(0.5 * (squares + math.log(2 * math.pi)) + np.log(self.scale)).sum(axis=1)


@dataclass(frozen=True, eq=False)
class CategoricalPosteriors:
    """Probabilities of the values of a categorical block for each example.

    Args:
        probabilities: `(n, num_values)`; each row is rescaled to a sum of 1.

    Raises:
        ValueError: A value is negative, or a row does not sum to 1 up to 0.001.
    """

    probabilities: np.ndarray

    def __post_init__(self) -> None:
        given = np.asarray(self.probabilities, np.float64)
        if given.ndim != 2 or not given.size or not (given >= 0).all():
            raise ValueError(
                "The categorical posteriors are not probabilities. Expected: shape (n, num_values) "
                f"and values of at least 0. Received: shape={given.shape}. Pass probabilities, not "
                "their logs."
            )
        sums = given.sum(axis=1, keepdims=True)
        if not np.allclose(sums, 1.0, atol=1e-3):
            raise ValueError(
                "The categorical posteriors are not probabilities. Expected: rows that sum to 1. "
                f"Received: sums from {sums.min()} to {sums.max()}. Pass probabilities, not their "
                "logs."
            )
        object.__setattr__(self, "probabilities", given / sums)

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def dim(self) -> int:
        """Number of dimensions: the value is the only one."""
        return 1


Posteriors = GaussianPosteriors | CategoricalPosteriors
