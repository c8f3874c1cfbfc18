"""The settings of GZS-Net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from latentloom.model_zoo.gzs_net.blocks import block_spec
from latentloom.model_zoo.losses.interpolation import InterpolationSettings, check_cir
from latentloom.model_zoo.networks.architecture import NetworkSettings, resolve_network


@dataclass(frozen=True, kw_only=True)
class GZSNetSettings(NetworkSettings, InterpolationSettings):
    """What configuration and data set of the model, beside its networks and interpolation.

    Args:
        factor_sizes: Number of values of every factor, or `None` for that of the label alone.
        block_dims: Integer, size of every factor's block, or a mapping from factors to sizes; a
            factor that it leaves out has no block.
        unlabelled_dims: Mapping from names to sizes of blocks for what no factor describes. They
            are never exchanged, and zero in the cover. Name them in `cir_blocks`, too: that keeps
            out of them what factors describe.
        group_norm: Whether group normalisation follows the convolutions.
        rank: Integer, number of colours that the decoder mixes to an image, by maps of their
            shares, so that shapes and colours meet in one product; 2 or more, or 0 to decode the
            channels themselves.
        colour_blocks: Names of the blocks that the colours alone are decoded from, and the maps
            from all others, for factors that are known to be colours: then none of them can change
            a shape, whatever the label is tied to. Both from the whole code by default.
        absolute_weight: Float, weight of the mean absolute error of pixels beside the squared one.
        swap_weight: Float, weight of both images of an edge with the shared block exchanged.
        cover_weight: Float, weight of images decoded from the blocks of others, one a factor.
        cover_all: Whether every image of a batch is covered, by others of the batch, or, as in the
            authors' code, the centres alone. At the same cost that learns several times faster.
        sharing_weight: Float, weight of how far the blocks of a factor are apart that share its
            value; see `losses.sharing_loss`. Not of the papers, which leave it to the decoder to
            ignore what else a block tells.
        cycle_weight: Float, weight of images whose block was exchanged with any other's and back.
            0 is what the authors' code trains with.
        seed: Integer, seed of what the regulariser draws.
    """

    factor_sizes: Mapping[str, int] | None = None
    block_dims: int | Mapping[str, int] = 8
    unlabelled_dims: Mapping[str, int] | None = None
    group_norm: bool = False
    rank: int = 3
    colour_blocks: Sequence[str] = ()
    absolute_weight: float = 0.0
    swap_weight: float = 1.0
    cover_weight: float = 1.0
    cover_all: bool = True
    sharing_weight: float = 0.0
    cycle_weight: float = 0.0
    seed: int = 0

    def resolved(self, image_shape: tuple[int, ...], num_classes: int) -> GZSNetSettings:
        """These settings, what was left to the data filled in."""
        dims = self.block_dims
        return replace(
            self,
            network=resolve_network(self.network, image_shape),
            factor_sizes=dict(self.factor_sizes or {"label": num_classes}),
            block_dims=dict(dims) if isinstance(dims, Mapping) else dims,
            unlabelled_dims=dict(self.unlabelled_dims or {}),
            colour_blocks=list(self.colour_blocks),
            cir_blocks=list(self.cir_blocks) if self.cir_blocks else None,
        )

    def check(self) -> None:
        """Checks the settings, once they are resolved.

        Raises:
            ValueError: The blocks do not fit the factors, or the interpolation the blocks.
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
