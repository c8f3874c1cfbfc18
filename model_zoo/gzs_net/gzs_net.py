"""The group-supervised zero-shot synthesis network, with controllable interpolation.

Ge et al., Zero-shot Synthesis with Group-Supervised Learning, ICLR 2021. Each factor has one block
of the code. Labels only say which images share a value. Two images that share a value must decode
to themselves after they swap that block; an image must also be decoded from blocks of other images,
each of which shares one value with it. The same recombination synthesises unseen combinations.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.gzs_net.groups import GroupBatches
from latentloom.model_zoo.gzs_net.losses import loss_terms
from latentloom.model_zoo.gzs_net.networks import build_networks
from latentloom.model_zoo.gzs_net.settings import GZSNetSettings
from latentloom.model_zoo.networks.value_mixture import mixture_of_values
from latentloom.model_zoo.training.batches import Factors, factors_of
from latentloom.model_zoo.training.sharers import Sharers
from latentloom.model_zoo.training.trackers import make_trackers, update_trackers

logger = logging.getLogger(__name__)

MIXTURE_RATE = 10.0
"""Learning rate of the mixture relative to the model, so that it keeps up with moving codes."""
SYNTHESIS_TERMS = ("reconstruction_loss", "swap_loss", "cover_loss", "cycle_loss")
FIGURES = ("synthesis_loss", "label_accuracy", "code_scale")


@keras.saving.register_keras_serializable(package="latentloom")
class GZSNet(keras.Model):
    """Auto-encoder with one block for each factor, trained on groups of images.

    For data with several labelled factors. `sampler` makes the groups.

    Reference:
        Ge et al., ICLR 2021, https://arxiv.org/abs/2009.06586, with the full cover of the authors'
        code; with `cir_weight` Ge et al., WACV 2023, https://arxiv.org/abs/2112.03163. Deviates:
        mean squared pixel errors (with absolute errors training stays long at images of only the
        background); each step swaps and reconstructs one random sharer of a group with the centre;
        all images of a batch are covered; unlabelled blocks; a decoder that mixes colours; no
        instance normalisation; smaller networks.

    Args:
        observation_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of values of the factor "label".
        **arguments: The fields of `GZSNetSettings`.

    Input shape:
        `(batch, height, width, channels)` or groups `(batch, size, height, width, channels)`,
        float32 in `[-1, 1]`.

    Output shape:
        The codes: a dictionary of one `(batch, dim)` or `(batch, size, dim)` tensor a block.
    """

    settings_class = GZSNetSettings
    value_range = (-1.0, 1.0)
    monitor = "val_synthesis_loss"

    def __init__(
        self,
        observation_shape: Sequence[int],
        num_classes: int,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        **arguments,
    ):
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.observation_shape = tuple(int(side) for side in observation_shape)
        self.num_classes = num_classes
        self.settings = GZSNetSettings(**arguments).resolved(self.observation_shape, num_classes)
        self.settings.check()
        self.networks = build_networks(self.settings, self.observation_shape, num_classes)
        # Keras saves weights under the names of these attributes.
        self.encoder, self.decoder = self.networks.encoder, self.networks.decoder
        self.mixture, self.noise = self.networks.mixture, self.networks.noise
        self.trackers = make_trackers((*self.loss_weights, *FIGURES))
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return self.settings.latent_spec

    def encode(self, observations):
        """Encodes images to one `(batch, dim)` tensor a block."""
        return self.networks.encode(observations)

    def decode(self, latents):
        """Decodes blocks to images `(batch, height, width, channels)`."""
        return self.networks.decode(latents)

    def class_scores(self, latents):
        """Log density of the block "label" under every class, `(batch, num_classes)`."""
        return self.mixture(latents["label"])

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: points."""
        return {b: tfd.VectorDeterministic(c) for b, c in self.encode(observations).items()}

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training: Gaussians fitted to the codes.

        The block of the label gets one Gaussian for each class. The block of another factor gets a
        mixture of one Gaussian for each value, weighted by its frequency. An unlabelled block gets
        one Gaussian.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Factors of the examples; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32; `C` is the number of classes, or 1 for a block without the label. Blocks of
            other factors also have `"values": (K,)`.
        """
        values = {name: np.asarray(codes) for name, codes in factors_of(factors).items()}
        nothing = np.zeros(len(values["label"]), np.int64)
        priors = {b: mixture_of_values(c, values.get(b, nothing)) for b, c in latents.items()}
        for name in priors.keys() - values.keys() | {"label"}:
            del priors[name]["values"]  # components stand for classes, or for nothing
        of_label = {name: array[0][:, None] for name, array in priors["label"].items()}
        return priors | {"label": of_label | {"weights": np.ones_like(of_label["weights"])}}

    # --- Training -----------------------------------------------------------------------------

    def sampler(self, images: np.ndarray, factors: Factors) -> Callable[..., GroupBatches]:
        """Returns the function that makes batches of groups; sharers come from these examples.

        If no two examples share exactly one factor, the groups are relaxed to edges.

        Args:
            images: Training images, uint8.
            factors: Factors of the images.

        Returns:
            A function of the images and factors of the centres and the settings of `Batches`.

        Raises:
            ValueError: A factor is missing or has one value, or two factors never vary apart.
        """
        attributes = self.settings.attributes
        sizes = {name: self.settings.factor_sizes[name] for name in attributes}
        sharers = Sharers(factors_of(factors), sizes)
        lone = sharers.lone_factors()
        if not lone:
            logger.warning(
                "No two training examples share exactly one of %s: training samples edges "
                "instead of groups.",
                ", ".join(attributes),
            )
        elif missing := [name for name in attributes if name not in lone]:
            logger.warning(
                "No two training examples share only %s: its sharers share another factor, too.",
                " or ".join(missing),
            )
        return functools.partial(GroupBatches, sharers=sharers, pool=images, relaxed=not lone)

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.gzs_net.losses`."""
        weights = {
            "reconstruction_loss": 1.0,
            "swap_loss": self.settings.swap_weight,
            "cover_loss": self.settings.cover_weight,
            "sharing_loss": self.settings.sharing_weight,
            "cycle_loss": self.settings.cycle_weight,
            "cir_loss": self.settings.cir_weight,
            "mixture_loss": 1.0,
        }
        return {name: weight for name, weight in weights.items() if weight}

    @property
    def relative_rates(self) -> dict[str, tuple[keras.Layer, float]]:
        """Layers with their learning rate relative to the other layers."""
        return {"mixture": (self.mixture, MIXTURE_RATE)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms, for groups `x` and targets `y` of `GroupBatches`."""
        terms = loss_terms(self.settings, self.networks, x, y, y_pred)
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
        update_trackers(self.trackers, figures, ops.shape(x)[0])
        return replica_share(sum(weighted.values()))

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        leading = ops.shape(observations)[: -len(self.observation_shape)]
        images = ops.reshape(observations, (-1, *self.observation_shape))
        code = self.encoder(images, training=training)
        return self.networks.split(ops.reshape(code, (*leading, code.shape[-1])))

    def get_config(self):
        given = {"observation_shape": self.observation_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **given, **asdict(self.settings)}
