"""Prior distributions of latent blocks, as plain arrays that NumPy samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from latentloom.augment.randomness import normals, uniforms

__all__ = ["BlockPrior"]


@dataclass(frozen=True, eq=False)
class BlockPrior:
    """A mixture of diagonal Gaussians, one mixture per class or one for all.

    One form holds what training exports: a standard normal (`C = K = 1`), a Gaussian mixture per
    class, or, with a scale of zero, a categorical choice among `K` points.

    Args:
        weights: float32 of shape `(C, K)`: probability of each of `K` components, for each of
            `C` classes. Each row sums to 1. `C = 1` if the prior does not depend on the class.
        loc: float32 of shape `(C, K, dim)`: means.
        scale: float32 of shape `(C, K, dim)`: standard deviations, at least 0.

    Example:
        >>> BlockPrior.standard_normal(3).sample(np.arange(5, dtype=np.uint64)).shape
        (5, 3)
    """

    weights: np.ndarray
    loc: np.ndarray
    scale: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            values = np.asarray(getattr(self, field.name), np.float32)
            object.__setattr__(self, field.name, values)
        self._check_shapes()
        self._check_values()

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
            ValueError: If one of its arrays is missing.
        """
        names = {field.name: f"{prefix}/{field.name}" for field in fields(cls)}
        missing = [name for name in names.values() if name not in mapping]
        if missing:
            raise ValueError(
                f"The prior of block '{prefix}' is incomplete. Expected: arrays "
                f"{list(names.values())}. Received: none named {missing}. Export the priors again."
            )
        return cls(**{field: mapping[name] for field, name in names.items()})

    def to_arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """Returns the three arrays under `<prefix>/<field>`."""
        return {f"{prefix}/{field.name}": getattr(self, field.name) for field in fields(self)}

    @property
    def dim(self) -> int:
        """Size of the block."""
        return self.loc.shape[-1]

    @property
    def is_class_conditional(self) -> bool:
        """Whether the prior depends on the class."""
        return len(self.weights) > 1

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each entry over all classes, float32 of shape `(dim,)`.

        Pools the components of all classes into one mixture, with the same weight for every class.
        """
        weights = self.weights.astype(np.float64)[..., None]
        weights = weights / weights.sum(axis=1, keepdims=True) / len(weights)
        loc = self.loc - self.loc[0, 0].astype(np.float64)  # exactly 0 for equal means
        centre = np.sum(weights * loc, axis=(0, 1))
        squares = np.square(self.scale, dtype=np.float64) + np.square(loc - centre)
        return np.sqrt(np.sum(weights * squares, axis=(0, 1))).astype(np.float32)

    def sample(
        self, keys: np.ndarray, labels: np.ndarray | None = None, temperature: float = 1.0
    ) -> np.ndarray:
        """Draws one block per key: a component, then its Gaussian.

        Args:
            keys: uint64 of shape `(n,)`; a key always gives the same block.
            labels: Class indices of shape `(n,)`. Unused by a prior that ignores the class.
            temperature: Float, factor on the scale. `0.` gives the mean of a component.

        Returns:
            float32 of shape `(n, dim)`.

        Raises:
            ValueError: If the labels are missing or out of range, or the temperature negative.
        """
        if not 0 <= temperature < np.inf:
            raise ValueError(
                "Cannot sample a block prior. Expected: a finite `temperature` of at least 0. "
                f"Received: temperature={temperature}. Pass 1.0 for the prior itself."
            )
        rows = self._class_rows(len(keys), labels)
        edges = np.cumsum(self.weights, axis=-1, dtype=np.float64)
        edges /= edges[:, -1:]  # the last is exactly 1, so a component of weight 0 is never drawn
        component = (uniforms(keys, 1) >= edges[rows, :-1]).sum(axis=-1)
        noise = temperature * normals(keys, self.dim)
        blocks = self.loc[rows, component] + self.scale[rows, component] * noise
        return blocks.astype(np.float32)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BlockPrior):
            return NotImplemented
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)

    def _class_rows(self, num_keys: int, labels: np.ndarray | None) -> np.ndarray:
        if not self.is_class_conditional:
            return np.zeros(num_keys, np.int64)
        received = None if labels is None else np.shape(labels)
        if labels is None or received != (num_keys,):
            raise ValueError(
                f"The prior depends on the class. Expected: labels of shape `({num_keys},)`. "
                f"Received: labels of shape {received}. Pass one class index per key."
            )
        rows = np.asarray(labels, np.int64)
        if rows.size and not (0 <= rows.min() and rows.max() < len(self.weights)):
            raise ValueError(
                f"The prior has no such class. Expected: labels in `[0, {len(self.weights)})`. "
                f"Received: labels from {rows.min()} to {rows.max()}. Pass the classes it was "
                "trained on."
            )
        return rows

    def _check_shapes(self) -> None:
        shape = self.loc.shape
        expected = (shape[:2], shape)
        if len(shape) != 3 or 0 in shape or (self.weights.shape, self.scale.shape) != expected:
            raise ValueError(
                "The arrays of a block prior do not fit together. Expected: weights `(C, K)`, loc "
                f"and scale `(C, K, dim)`. Received: weights={self.weights.shape}, loc={shape}, "
                f"scale={self.scale.shape}. Give each array its class and component axes."
            )

    def _check_values(self) -> None:
        if not (np.isfinite(self.loc).all() and np.isfinite(self.scale).all()):
            raise ValueError(
                "A block prior is not finite. Expected: finite loc and scale. Received: NaN or "
                "infinity. Train again with a smaller learning rate."
            )
        if (self.scale < 0).any():
            raise ValueError(
                "A block prior has a negative scale. Expected: scale >= 0. "
                f"Received: min(scale)={self.scale.min()}. Pass standard deviations."
            )
        sums = self.weights.sum(axis=-1, dtype=np.float64)
        if not ((self.weights >= 0).all() and np.allclose(sums, 1.0, atol=1e-4)):
            raise ValueError(
                "The weights of a block prior are not probabilities. Expected: weights >= 0 that "
                f"sum to 1 per class. Received: sums={sums}. Normalise each row."
            )
