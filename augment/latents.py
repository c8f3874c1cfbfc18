"""The named blocks of a latent code and the factors that each of them carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentloom.augment.priors import BlockPrior
from latentloom.augment.spelling import nearest

__all__ = ["Block", "LatentSpec", "Latents"]

Latents = dict[str, np.ndarray]
"""One float array of shape `(n, dim)` per block, in the order of the spec."""


@dataclass(frozen=True)
class Block:
    """A named part of a latent code.

    Args:
        name: For example `zs`.
        dim: Integer, its size. At least 1.
        factors: Names of the factors it carries, for example `("label",)`; may be empty.
        prior: How to draw it; has the same `dim`.
        anchored: Whether it comes from the anchor or its prior alone, never from a donor, such as a
            block that holds the observation itself.
    """

    name: str
    dim: int
    factors: tuple[str, ...]
    prior: BlockPrior
    anchored: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.factors, str):
            raise TypeError(
                f"Block '{self.name}' has one string for its factors. Expected: a sequence of "
                f"names. Received: factors={self.factors!r}. Put the name in a list."
            )
        object.__setattr__(self, "factors", tuple(self.factors))
        if self.dim < 1 or self.prior.dim != self.dim:
            raise ValueError(
                f"Block '{self.name}' does not fit its prior. Expected: dim >= 1, the same in "
                f"both. Received: dim={self.dim}, prior.dim={self.prior.dim}. Export the prior of "
                "this block."
            )

    @property
    def drawn_factor(self) -> str | None:
        """The factor of which its prior can draw a value; None if there is none."""
        return self.factors[0] if self.prior.values is not None and len(self.factors) == 1 else None

    def draw(
        self,
        keys: np.ndarray,
        factors: Mapping[str, np.ndarray],
        temperature: float = 1.0,
    ) -> np.ndarray:
        """Draws one block per key from its prior, of the class and of the value that are known.

        Args:
            keys: uint64 of shape `(n,)`.
            factors: Known values by factor, of shape `(n,)` each.
            temperature: Float, factor on the scale.

        Returns:
            float32 of shape `(n, dim)`.
        """
        return self.prior.sample(keys, factors.get("label"), temperature, self.values_of(factors))

    def values_of(self, factors: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """Returns the values that its prior must draw, or None if it is free to draw any."""
        return factors.get(self.drawn_factor) if self.drawn_factor else None

    @property
    def num_axes(self) -> int:
        """Number of axes along which a traversal can move it."""
        directions = self.prior.directions
        return self.dim if directions is None else len(directions)


@dataclass(frozen=True)
class LatentSpec:
    """The ordered blocks of a latent code: what a model encodes to and decodes from.

    Args:
        blocks: At least one block; names are unique.

    Example:
        >>> spec = LatentSpec((Block("zu", 8, (), BlockPrior.standard_normal(8)),))
        >>> spec.names, spec["zu"].dim
        (('zu',), 8)
    """

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", tuple(self.blocks))
        if not self.blocks or len(set(self.names)) != len(self.blocks):
            raise ValueError(
                "A latent spec needs distinct blocks. Expected: one block or more, each with its "
                f"own name. Received: names={list(self.names)}. Rename or add a block."
            )

    @classmethod
    def from_dict(
        cls, blocks: Mapping[str, Mapping[str, Any]], priors: Mapping[str, BlockPrior]
    ) -> LatentSpec:
        """Builds the spec from its JSON form and the priors.

        Args:
            blocks: `{name: {"dim": int, "factors": [str, ...]}}`, in the order of the code, with
                `"anchored": True` for an anchored block.
            priors: The prior of each block, in any order.

        Returns:
            The spec.

        Raises:
            ValueError: If the names differ.
        """
        if set(blocks) != set(priors):
            raise ValueError(
                f"The priors do not match the blocks. Expected: a prior for each of "
                f"{sorted(blocks)}. Received: priors for {sorted(priors)}. Export the priors again."
            )
        return cls(
            tuple(
                Block(
                    name,
                    int(entry["dim"]),
                    tuple(entry["factors"]),
                    priors[name],
                    anchored=bool(entry.get("anchored", False)),
                )
                for name, entry in blocks.items()
            )
        )

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Returns the JSON form, without the priors."""
        return {
            b.name: {"dim": b.dim, "factors": list(b.factors)}
            | ({"anchored": True} if b.anchored else {})
            for b in self.blocks
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return tuple(block.name for block in self.blocks)

    def carriers(self, factor: str) -> tuple[str, ...]:
        """Returns the names of the blocks that carry a factor, in order."""
        return tuple(block.name for block in self.blocks if factor in block.factors)

    def free_of(self, factor: str) -> tuple[str, ...]:
        """Returns the names of the blocks that do not carry a factor, in order."""
        return tuple(block.name for block in self.blocks if factor not in block.factors)

    def carried(self, factors: Iterable[str]) -> tuple[str, ...]:
        """Returns the given factors that a block carries, in order; always keeps `label`."""
        return tuple(name for name in factors if name == "label" or self.carriers(name))

    def check(self, latents: Mapping[str, np.ndarray], needed: Sequence[str] | None = None) -> int:
        """Checks that latents have this form.

        Args:
            latents: Arrays of shape `(n, dim)` by block name.
            needed: Names of the blocks that must be there, if others may be missing.

        Returns:
            The number of rows `n`; 0 without blocks.

        Raises:
            ValueError: If names, order, shapes or lengths differ, or a value is not finite.
            TypeError: If an array does not hold floats.
        """
        kept = set(self.names if needed is None else latents) | set(needed or ())
        expected = [name for name in self.names if name in kept]
        if list(latents) != expected:
            raise ValueError(
                f"The latents have other blocks than the spec. Expected: {expected}, in "
                f"this order. Received: {list(latents)}. Pass every block under its name."
            )
        num_rows = len(latents[expected[0]]) if expected else 0
        for name in expected:
            _check_block(self[name], num_rows, np.asarray(latents[name]))
        return num_rows

    def __getitem__(self, name: str) -> Block:
        for block in self.blocks:
            if block.name == name:
                return block
        raise ValueError(
            f"The latent spec has no block '{name}'. Expected: one of {sorted(self.names)}. "
            f"Received: name={name!r}. {nearest(name, self.names)}"
        )

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)


def _check_block(block: Block, num_rows: int, values: np.ndarray) -> None:
    if values.shape != (num_rows, block.dim):
        raise ValueError(
            f"The latents of block '{block.name}' have the wrong shape. Expected: "
            f"{(num_rows, block.dim)}. Received: shape={values.shape}. Pass one row per example in "
            "every block."
        )
    if values.dtype.kind != "f":
        raise TypeError(
            f"The latents of block '{block.name}' are not floats. Expected: a float dtype. "
            f"Received: dtype={values.dtype}. Convert them to float32."
        )
    finite = np.isfinite(values).all(axis=-1)
    if not finite.all():
        raise ValueError(
            f"The latents of block '{block.name}' are not finite. Expected: no NaN or infinity. "
            f"Received: first bad row={int(np.argmin(finite))}. Leave this example out or train "
            "the model again."
        )
