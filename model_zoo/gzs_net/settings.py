"""The settings of GZS-Net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from latentloom.model_zoo.arguments import LARGEST_DIM, Flag, Integer, Seed, Weight
from latentloom.model_zoo.gzs_net.blocks import block_spec
from latentloom.model_zoo.losses.interpolation import InterpolationSettings, check_cir
from latentloom.model_zoo.networks.architecture import NetworkSettings, resolve_network

BlockSize = Annotated[int, Field(strict=True, le=LARGEST_DIM)]
"""Size of a block; `block_spec` checks that it is at least 1."""


@dataclass(frozen=True, kw_only=True)
class GZSNetSettings(NetworkSettings, InterpolationSettings):
    """Settings from the configuration and the data set, in addition to network and interpolation.

    Args:
        factor_sizes: Number of values of every factor, or `None` if "label" is the only factor.
        block_dims: Integer, size of every factor's block; or a mapping from factors to sizes, where
            a missing factor gets no block.
        unlabelled_dims: Mapping from names to sizes of unlabelled blocks. They are never swapped,
            and zero in the cover. Name them in `cir_blocks`, too: the regulariser keeps the
            factors out of them.
        group_norm: Whether group normalisation follows the convolutions.
        rank: Integer, number of colours that the decoder mixes into an image by maps of their
            shares, 2 or more; or 0 to decode the channels directly.
        colour_blocks: Names of the blocks from which the colours are decoded, for factors that are
            known to be colours; the maps are then decoded from the other blocks. So colour blocks
            cannot change a shape, even if factors are correlated. By default colours and maps use
            the whole code.
        absolute_weight: Float, weight of the mean absolute pixel error, added to the squared error.
        swap_weight: Float, weight of the swap loss: both images of an edge, shared block swapped.
        cover_weight: Float, weight of the cover loss: an image decoded from blocks of others.
        cover_all: Whether to cover every image of a batch; otherwise only the centres, as in the
            authors' code. All images cost the same and train several times faster.
        sharing_weight: Float, weight of `losses.sharing_loss`: the distance of a factor's blocks
            that share its value. Not in the papers, where only the decoder can learn to ignore
            other information in a block.
        cycle_weight: Float, weight of the cycle loss: a block is swapped with any other image and
            back. The authors' code uses 0.
        seed: Integer, seed of the interpolation regulariser.
    """

    factor_sizes: Mapping[str, Integer] | None = None
    block_dims: BlockSize | Mapping[str, BlockSize] = 8
    unlabelled_dims: Mapping[str, BlockSize] | None = None
    group_norm: Flag = False
    rank: Annotated[int, Field(strict=True, ge=0, le=64)] = 3
    colour_blocks: Sequence[str] = ()
    absolute_weight: Weight = 0.0
    swap_weight: Weight = 1.0
    cover_weight: Weight = 1.0
    cover_all: Flag = True
    sharing_weight: Weight = 0.0
    cycle_weight: Weight = 0.0
    seed: Seed = 0

    def resolved(self, observation_shape: tuple[int, ...], num_classes: int) -> GZSNetSettings:
        """Returns these settings with defaults filled in from the data.

        Raises:
            ValueError: The decoder mixes colours, and the observations are not images.
        """
        if self.rank and len(observation_shape) != 3:
            raise ValueError(
                "A decoder that mixes colours makes images. Expected: images, or rank=0. Received: "
                f"observations of shape {observation_shape}, rank={self.rank}. Set "
                "`model.args.rank` to 0."
            )
        dims = self.block_dims
        return replace(
            self,
            network=resolve_network(self.network, observation_shape),
            factor_sizes=dict(self.factor_sizes or {"label": num_classes}),
            block_dims=dict(dims) if isinstance(dims, Mapping) else dims,
            unlabelled_dims=dict(self.unlabelled_dims or {}),
            colour_blocks=list(self.colour_blocks),
            cir_blocks=list(self.cir_blocks) if self.cir_blocks else None,
        )

    def check(self) -> None:
        """Checks the settings after `resolved`.

        Raises:
            ValueError: The blocks do not fit the factors, or the `cir_*` settings the blocks.
        """
        check_cir(self, list(self.latent_spec))

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return block_spec(self.factor_sizes, self.block_dims, self.unlabelled_dims)

    @property
    def attributes(self) -> list[str]:
        """Factors that have a block, in order."""
        return [name for name, block in self.latent_spec.items() if block["factors"]]
