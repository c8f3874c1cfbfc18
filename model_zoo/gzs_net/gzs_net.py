"""The group-supervised zero-shot synthesis network, with controllable interpolation.

Ge et al., Zero-shot Synthesis with Group-Supervised Learning, ICLR 2021. One block of the code
belongs to each factor. Labels only say which images share a value: exchanging the block of a
shared value must change nothing, and an image must come out of the blocks of others that share
one value each with it. What training never showed is then made by the same recombination.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.gzs_net.blocks import block_spec, columns_of
from latentloom.model_zoo.gzs_net.groups import GroupBatches
from latentloom.model_zoo.gzs_net.losses import loss_terms
from latentloom.model_zoo.gzs_net.priors import mixture_of_values
from latentloom.model_zoo.losses.interpolation import check_cir
from latentloom.model_zoo.networks.architecture import Architecture, resolve_network
from latentloom.model_zoo.networks.encoder_decoder import (
    image_decoder,
    image_encoder,
)
from latentloom.model_zoo.networks.gaussian_mixture import ClassMixture
from latentloom.model_zoo.training.batches import Factors, factors_of
from latentloom.model_zoo.training.sharers import Sharers

logger = logging.getLogger(__name__)

MIXTURE_RATE = 10.0
"""Learning rate of the mixture, in units of the model's: it follows codes that move."""
PRECISION_RANGE = (0.01, 1000.0)
SYNTHESIS_TERMS = ("reconstruction_loss", "swap_loss", "cover_loss", "cycle_loss")


@keras.saving.register_keras_serializable(package="latentloom")
class GZSNet(keras.Model):
    """Auto-encoder whose code has one block for every factor, learnt from groups of images.

    For data with several labelled factors. `fit` makes the groups: see `sampler`.

    Reference:
        Ge et al., ICLR 2021, https://arxiv.org/abs/2009.06586, with the full cover of the authors'
        code; with `cir_weight` Ge et al., WACV 2023, https://arxiv.org/abs/2112.03163. Deviates:
        mean squared pixel errors (absolute ones linger at images of the background alone); of a
        group, one sharer drawn for the step is swapped and reconstructed beside the centre; all
        images of a batch are covered; unlabelled blocks; a decoder of mixed colours; no instance
        normalisation; smaller networks.

    Args:
        image_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of values of the factor "label".
        factor_sizes: Number of values of every factor, or `None` for that of the label alone.
        block_dims: Integer, size of every factor's block, or a mapping from factors to sizes; a
            factor that it leaves out has no block.
        unlabelled_dims: Mapping from names to sizes of blocks for what no factor describes. They
            are never exchanged, and zero in the cover. Name them in `cir_blocks`, too: that keeps
            out of them what factors describe.
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        width: Integer, channels of the outermost convolution.
        hidden_dim: Integer, size of the hidden dense layers.
        kernel_size: Integer, side of the kernels of convolutions, in pixels.
        base_side: Integer, longest side at which no further convolution halves the image.
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
        cir_weight: Float, weight of the interpolation regulariser; 0.01 is the authors', for
            codes of about unit scale.
        cir_blocks: Names of the blocks to interpolate, one drawn for each example, or `None` for
            all. The authors interpolate one, the background colour.
        cir_alpha: `"dimension"` or `"example"`; see `interpolation_loss`, as for the next two.
        cir_distance: `"mse"`, `"mae"`, `"scaled_mse"` or `"unheld_scaled_mse"`.
        cir_stop_gradient: Whether the target of the regulariser is held constant.
        seed: Integer, seed of what the regulariser draws.

    Input shape:
        `(batch, height, width, channels)` or groups `(batch, size, height, width, channels)`,
        float32 in `[-1, 1]`.

    Output shape:
        The codes: a dictionary of one `(batch, dim)` or `(batch, size, dim)` tensor a block.
    """

    value_range = (-1.0, 1.0)
    monitor = "val_synthesis_loss"

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        factor_sizes: Mapping[str, int] | None = None,
        block_dims: int | Mapping[str, int] = 8,
        unlabelled_dims: Mapping[str, int] | None = None,
        network: str = "auto",
        width: int = 32,
        hidden_dim: int = 256,
        kernel_size: int = 4,
        base_side: int = 8,
        group_norm: bool = False,
        rank: int = 3,
        colour_blocks: Sequence[str] = (),
        absolute_weight: float = 0.0,
        swap_weight: float = 1.0,
        cover_weight: float = 1.0,
        cover_all: bool = True,
        sharing_weight: float = 0.0,
        cycle_weight: float = 0.0,
        cir_weight: float = 0.0,
        cir_blocks: Sequence[str] | None = None,
        cir_alpha: str = "dimension",
        cir_distance: str = "mse",
        cir_stop_gradient: bool = False,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(int(side) for side in image_shape)
        self.num_classes, self.seed = num_classes, seed
        self.factor_sizes = dict(factor_sizes or {"label": num_classes})
        self.block_dims = dict(block_dims) if isinstance(block_dims, Mapping) else block_dims
        self.unlabelled_dims = dict(unlabelled_dims or {})
        self.network = resolve_network(network, self.image_shape)
        self.width, self.hidden_dim, self.kernel_size = width, hidden_dim, kernel_size
        self.base_side, self.group_norm, self.rank = base_side, group_norm, rank
        self.colour_blocks = list(colour_blocks)
        self.absolute_weight, self.swap_weight = absolute_weight, swap_weight
        self.cover_weight, self.cover_all = cover_weight, cover_all
        self.sharing_weight, self.cycle_weight = sharing_weight, cycle_weight
        self.cir_weight, self.cir_blocks = cir_weight, list(cir_blocks) if cir_blocks else None
        self.cir_alpha, self.cir_distance = cir_alpha, cir_distance
        self.cir_stop_gradient = cir_stop_gradient
        check_cir(self)
        self._build_networks()
        self.noise = keras.random.SeedGenerator(seed)
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in (*self.loss_weights, "synthesis_loss", "label_accuracy", "code_scale")
        }
        self.built = True

    def _build_networks(self) -> None:
        sizes = {
            "network": self.network,
            "width": self.width,
            "hidden_dim": self.hidden_dim,
            "kernel_size": self.kernel_size,
            "base_side": self.base_side,
            "group_norm": self.group_norm,
        }
        code_dim = sum(block["dim"] for block in self.latent_spec.values())
        self.encoder = image_encoder(
            self.image_shape, code_dim, Architecture(**sizes), name="encoder"
        )
        self.decoder = image_decoder(
            code_dim,
            self.image_shape,
            Architecture(**sizes),
            rank=self.rank,
            colour_columns=columns_of(self.latent_spec, self.colour_blocks),
            name="decoder",
        )
        self.mixture = ClassMixture(
            self.num_classes,
            self.latent_spec["label"]["dim"],
            PRECISION_RANGE,
            name="mixture",
            dtype="float32",
        )

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return block_spec(self.factor_sizes, self.block_dims, self.unlabelled_dims)

    @property
    def attributes(self) -> list[str]:
        """Factors that have a block, in order."""
        return [name for name, block in self.latent_spec.items() if block["factors"]]

    def encode(self, observations):
        """Encodes images to one `(batch, dim)` tensor a block."""
        return self._split(self.encoder(observations))

    def decode(self, latents):
        """Decodes blocks to images `(batch, height, width, channels)`."""
        return self.decoder(ops.concatenate([latents[b] for b in self.latent_spec], axis=-1))

    def class_scores(self, latents):
        """Log density of the block "label" under every class, `(batch, num_classes)`."""
        return self.mixture(latents["label"])

    def _split(self, code) -> dict:
        blocks, begin = {}, 0
        for name, block in self.latent_spec.items():
            blocks[name] = code[..., begin : begin + block["dim"]]
            begin += block["dim"]
        return blocks

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: points."""
        return {b: tfd.VectorDeterministic(c) for b, c in self.encode(observations).items()}

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training: Gaussians fitted to the codes.

        The block of the label has one for each class; that of another factor a mixture of one for
        each of its values, as frequent as they are; an unlabelled one a single one.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Their factors; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32, with `C` classes (or 1, where the class makes no difference).
        """
        values = {name: np.asarray(codes) for name, codes in factors_of(factors).items()}
        nothing = np.zeros(len(values["label"]), np.int64)
        priors = {b: mixture_of_values(c, values.get(b, nothing)) for b, c in latents.items()}
        of_label = {name: array[0][:, None] for name, array in priors["label"].items()}
        return priors | {"label": of_label | {"weights": np.ones_like(of_label["weights"])}}

    # --- Training -----------------------------------------------------------------------------

    def sampler(self, images: np.ndarray, factors: Factors) -> Callable[..., GroupBatches]:
        """What makes batches of groups, their sharers drawn from these training examples.

        Where no two examples share one factor only, it makes relaxed groups, which are edges.

        Args:
            images: Training images, uint8.
            factors: Their factors.

        Returns:
            A function of the images and factors of the centres and the settings of `Batches`.

        Raises:
            ValueError: A factor is missing or has one value, or two factors never vary apart.
        """
        sizes = {name: self.factor_sizes[name] for name in self.attributes}
        sharers = Sharers(factors_of(factors), sizes)
        lone = sharers.lone_factors()
        if not lone:
            logger.warning(
                "No two training examples share one of %s without another: training samples "
                "edges instead of groups.",
                ", ".join(self.attributes),
            )
        elif missing := [name for name in self.attributes if name not in lone]:
            logger.warning(
                "No two training examples share %s alone: its sharers share another factor too.",
                " or ".join(missing),
            )
        return functools.partial(GroupBatches, sharers=sharers, pool=images, relaxed=not lone)

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.gzs_net.losses`."""
        weights = {
            "reconstruction_loss": 1.0,
            "swap_loss": self.swap_weight,
            "cover_loss": self.cover_weight,
            "sharing_loss": self.sharing_weight,
            "cycle_loss": self.cycle_weight,
            "cir_loss": self.cir_weight,
            "mixture_loss": 1.0,
        }
        return {name: weight for name, weight in weights.items() if weight}

    @property
    def relative_rates(self) -> dict[str, tuple[keras.Layer, float]]:
        """Layers whose learning rate is a multiple of the others'."""
        return {"mixture": (self.mixture, MIXTURE_RATE)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms, over groups `x` with the answers `y` (`GroupBatches`)."""
        terms = loss_terms(self, x, y, y_pred)
        weighted = {name: self.loss_weights[name] * term for name, term in terms.items()}
        synthesis_loss = sum(weighted[name] for name in SYNTHESIS_TERMS if name in weighted)
        predicted = ops.argmax(self.mixture(y_pred["label"][:, 0]), axis=-1)
        accuracy = ops.mean(ops.cast(ops.cast(predicted, "int32") == y["label"], "float32"))
        scales = ops.stack([ops.mean(ops.std(code[:, 0], axis=0)) for code in y_pred.values()])
        figures = {
            **terms,
            "synthesis_loss": synthesis_loss,
            "label_accuracy": accuracy,
            "code_scale": ops.mean(scales),
        }
        for name, value in figures.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(x)[0])
        return replica_share(sum(weighted.values()))

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        leading = ops.shape(observations)[: -len(self.image_shape)]
        images = ops.reshape(observations, (-1, *self.image_shape))
        code = self.encoder(images, training=training)
        return self._split(ops.reshape(code, (*leading, code.shape[-1])))

    def get_config(self):
        parameters = inspect.signature(type(self).__init__).parameters
        names = [name for name in parameters if name not in ("self", "kwargs")]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
