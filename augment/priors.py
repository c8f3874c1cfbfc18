"""Prior distributions of latent blocks, as plain arrays that NumPy samples."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from latentloom.augment.prior_checks import check_prior
from latentloom.augment.prior_components import class_rows, draw_components
from latentloom.augment.randomness import normals

__all__ = ["BlockPrior"]


@dataclass(frozen=True, eq=False)
class BlockPrior:
    """A mixture of Gaussians, one mixture per class or one for all.

    One form holds what training exports: a standard normal (`C = K = 1`), a Gaussian mixture per
    class, Gaussians of classes that vary along common axes, or, with a scale of zero, a categorical
    choice among `K` points.

    Args:
        weights: float32 of shape `(C, K)`: probability of each of `K` components, for each of
            `C` classes. Each row sums to 1. `C = 1` if the prior does not depend on the class.
        loc: float32 of shape `(C, K, dim)`: means.
        scale: float32 of shape `(C, K, dim)`: standard deviations along the axes, at least 0.
        axes: float32 of shape `(dim, dim)`: the direction of each axis, in rows; orthonormal for
            the principal axes of a covariance. None for the entries of the block themselves.
        directions: float32 of shape `(a, dim)`: orthogonal directions along which a traversal moves
            a block of many entries, each one standard deviation long. None for all entries.
        values: float32 of shape `(K,)`, whole numbers: the value of the block's factor that each
            component stands for, so that a value can be drawn. None if they stand for none.

    Example:
        >>> BlockPrior.standard_normal(3).sample(np.arange(5, dtype=np.uint64)).shape
        (5, 3)
    """

    weights: np.ndarray
    loc: np.ndarray
    scale: np.ndarray
    axes: np.ndarray | None = None
    directions: np.ndarray | None = None
    values: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, array in self._arrays().items():
            object.__setattr__(self, name, np.asarray(array, np.float32))
        check_prior(self._arrays())

    @classmethod
    def standard_normal(cls, dim: int) -> BlockPrior:
        """Returns the prior `Normal(0, 1)` of a block with `dim` entries."""
        return cls(np.ones((1, 1)), np.zeros((1, 1, dim)), np.ones((1, 1, dim)))

    @classmethod
    def from_arrays(cls, mapping: Mapping[str, np.ndarray], prefix: str) -> BlockPrior:
        """Reads the output of `to_arrays`, for example from an open `.npz` file.

        Args:
            mapping: Arrays by name.
            prefix: The prefix they were written under.

        Returns:
            The prior.

        Raises:
            ValueError: If one of its arrays is missing that is not optional.
        """
        names = {field.name: f"{prefix}/{field.name}" for field in fields(cls)}
        optional = {f.name for f in fields(cls) if f.default is None}
        optional = {name for name in optional if names[name] not in mapping}
        names = {name: key for name, key in names.items() if name not in optional}
        missing = [name for name in names.values() if name not in mapping]
        if missing:
            raise ValueError(
                f"The prior of block '{prefix}' is incomplete. Expected: arrays "
                f"{list(names.values())}. Received: none named {missing}. Export the priors again."
            )
        return cls(**{field: mapping[name] for field, name in names.items()})

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """Returns the arrays under `<prefix>/<field>`; optional ones only if they are given."""
        return {f"{prefix}/{name}": array for name, array in self._arrays().items()}

    @property
    def dim(self) -> int:
        """Size of the block."""
        return self.loc.shape[-1]

    @property
    def is_class_conditional(self) -> bool:
        """Whether the prior depends on the class."""
        return len(self.weights) > 1

    @functools.cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation of each entry over all classes, float32 of shape `(dim,)`.

        Pools the components of all classes into one mixture, with the same weight for every class.
        """
        weights = self.weights.astype(np.float64)[..., None]
        weights = weights / weights.sum(axis=1, keepdims=True) / len(weights)
        loc = self.loc - self.loc[0, 0].astype(np.float64)  # exactly 0 for equal means
        centre = np.sum(weights * loc, axis=(0, 1))
        variances = np.square(self.scale, dtype=np.float64)
        if self.axes is not None:
            variances = variances @ np.square(self.axes, dtype=np.float64)
        squares = variances + np.square(loc - centre)
        return np.sqrt(np.sum(weights * squares, axis=(0, 1))).astype(np.float32)

    @property
    def axis_spread(self) -> np.ndarray:
        """Standard deviation along each axis of a traversal, float32 of shape `(a,)`."""
        if self.directions is None:
            return self.spread
        return np.linalg.norm(self.directions, axis=1)

    def along_axes(self, blocks: np.ndarray) -> np.ndarray:
        """Returns where blocks `(n, dim)` lie along each axis of a traversal, `(n, a)`."""
        if self.directions is None:
            return blocks
        lengths = np.maximum(self.axis_spread, np.finfo(np.float32).tiny)
        return blocks @ (self.directions / lengths[:, None]).T

    def shifted(self, blocks: np.ndarray, axes: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """Moves each block along one axis.

        Args:
            blocks: float32 of shape `(n, dim)`.
            axes: int64 of shape `(n,)`: the axis of each.
            shifts: float32 of shape `(n,)`: how far, in standard deviations.

        Returns:
            New blocks.
        """
        if self.directions is not None:
            return blocks + shifts[:, None] * self.directions[axes]
        moved, rows = blocks.copy(), np.arange(len(blocks))
        moved[rows, axes] += shifts * self.spread[axes]
        return moved

    def sample(
        self,
        keys: np.ndarray,
        labels: np.ndarray | None = None,
        temperature: float = 1.0,
        values: np.ndarray | None = None,
    ) -> np.ndarray:
        """Draws one block per key: a component, then its Gaussian.

        Args:
            keys: uint64 of shape `(n,)`; a key always gives the same block.
            labels: Class indices of shape `(n,)`. Unused by a prior that ignores the class.
            temperature: Float, factor on the scale. `0.` gives the mean of a component.
            values: Value of the block's factor, of shape `(n,)`: only components that stand for it
                are drawn. None for all components.

        Returns:
            float32 of shape `(n, dim)`.

        Raises:
            ValueError: If the labels are missing or out of range, the temperature negative, or no
                component stands for a value.
        """
        loc, deviations = self._draw(keys, labels, temperature, values)
        return (loc + deviations).astype(np.float32)

    def step(
        self,
        blocks: np.ndarray,
        shares: np.ndarray,
        keys: np.ndarray,
        labels: np.ndarray | None = None,
        temperature: float = 1.0,
        values: np.ndarray | None = None,
    ) -> np.ndarray:
        """Moves given blocks towards draws, so that blocks that follow the prior still do.

        A step of `s` from a block `z` towards a draw with mean `m` and deviation `d` from it is
        `m + sqrt(1 - s^2) (z - m) + s d`.

        Reference:
            The proposal of Cotter et al., MCMC Methods for Functions, Statistical Science 2013,
            https://arxiv.org/abs/1202.0709, without the acceptance step. Deviates: about the mean
            of the component that was drawn, so that only priors of one component stay exactly.

        Args:
            blocks: float32 of shape `(n, dim)`.
            shares: float32 of shape `(n,)` in `[0, 1]`: 0 keeps a block, 1 gives a draw.
            keys: As for `sample`.
            labels: As for `sample`.
            temperature: As for `sample`.
            values: As for `sample`.

        Returns:
            float32 of shape `(n, dim)`.
        """
        loc, deviations = self._draw(keys, labels, temperature, values)
        shares = shares.astype(np.float64)[:, None]
        kept = np.sqrt(1 - np.square(shares))
        return (loc + kept * (blocks - loc) + shares * deviations).astype(np.float32)

    def _draw(
        self,
        keys: np.ndarray,
        labels: np.ndarray | None,
        temperature: float,
        values: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draws a component per key, then its noise: means and deviations from them, `(n, dim)`."""
        if not 0 <= temperature < np.inf:
            raise ValueError(
                "Cannot sample a block prior. Expected: a finite `temperature` of at least 0. "
                f"Received: temperature={temperature}. Pass 1.0 for the prior itself."
            )
        rows = class_rows(self.weights, len(keys), labels)
        component = draw_components(self.weights, rows, keys, self.values, values)
        noise = temperature * normals(keys, self.dim)
        return self.loc[rows, component], self._turned(self.scale[rows, component] * noise)

    def _turned(self, noise: np.ndarray) -> np.ndarray:
        """Turns entries along the axes into entries of the block.

        Adds one axis after another: a matrix product would round by the number of rows.
        """
        if self.axes is None:
            return noise
        turned = np.zeros_like(noise)
        for entries, axis in zip(noise.T, self.axes, strict=True):
            turned += entries[:, None] * axis
        return turned

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BlockPrior):
            return NotImplemented
        mine, theirs = self._arrays(), other._arrays()
        return list(mine) == list(theirs) and all(
            np.array_equal(mine[name], theirs[name]) for name in mine
        )

    def _arrays(self) -> dict[str, np.ndarray]:
        """The arrays that are given, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: values for name, values in named.items() if values is not None}
