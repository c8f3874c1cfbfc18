"""ELEGANT: attributes exchanged between two images, with controllable interpolation.

Xiao et al., ELEGANT: Exchanging Latent Encodings with GAN for Transferring Multiple Face
Attributes, ECCV 2018. The channels of a code are cut into one block for each attribute. A decoder
turns the blocks of a donor and the code of an image into a residual, which is added to the image:
so its attribute becomes the donor's, and its other pixels stay.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.elegant.blocks import SOURCE, block_spec
from latentloom.model_zoo.elegant.losses import loss_terms
from latentloom.model_zoo.elegant.networks import build_networks
from latentloom.model_zoo.elegant.pairs import PairBatches, check_pairs
from latentloom.model_zoo.elegant.priors import MOST_IMAGES, principal_axes
from latentloom.model_zoo.elegant.settings import ElegantSettings
from latentloom.model_zoo.networks.choice_of_codes import choice_of_codes
from latentloom.model_zoo.networks.value_mixture import mixture_of_values
from latentloom.model_zoo.training.batches import Factors, factors_of, labels_of
from latentloom.model_zoo.training.trackers import make_trackers, update_trackers

MIXTURE_RATE = 10.0
"""Learning rate of the mixture relative to the encoder, so that it keeps up with its features."""
FIGURES = ("label_accuracy", "code_scale")


@keras.saving.register_keras_serializable(package="latentloom")
class Elegant(keras.Model):
    """Auto-encoder of attributes, trained on pairs of images against discriminators.

    For attributes that lie over an image, such as glasses, a frame or a stain. `sampler` makes the
    pairs. A block holds the looks of an attribute, not only its value; the block `source` holds the
    image that it is put on.

    Reference:
        Xiao et al., ECCV 2018, https://arxiv.org/abs/1803.10562, after the authors' code; with
        `cir_weight` Ge et al., WACV 2023, https://arxiv.org/abs/2112.03163. Deviates: one loss,
        so that both sides learn from the same point; attributes of several values; one attribute a
        pair instead of all in turn; exchange back; pairs of equal values; smaller networks; no
        weight decay; a cosine of the learning rate.

    Args:
        observation_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of values of the factor "label".
        **arguments: The fields of `ElegantSettings`.

    Input shape:
        `(batch, height, width, channels)` or pairs `(batch, 2, height, width, channels)`, float32
        in `[-1, 1]`.

    Output shape:
        The codes: a dictionary of one `(batch, dim)` or `(batch, 2, dim)` tensor a block.
    """

    settings_class = ElegantSettings
    value_range = (-1.0, 1.0)
    monitor = "val_reconstruction_loss"
    keeps_last_weights = True

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
        # `source` is the image, so mixed precision must not round it.
        super().__init__(name=name, trainable=trainable, dtype=dtype, autocast=False)
        self.observation_shape = tuple(int(side) for side in observation_shape)
        self.num_classes = num_classes
        self.settings = ElegantSettings(**arguments).resolved(num_classes)
        self.settings.check(self.observation_shape)
        self.networks = build_networks(self.settings, self.observation_shape, num_classes)
        # Keras saves weights under the names of these attributes.
        self.encoder, self.decoder = self.networks.encoder, self.networks.decoder
        self.discriminators = self.networks.discriminators
        self.mixture, self.noise = self.networks.mixture, self.networks.noise
        self.trackers = make_trackers((*self.loss_weights, *FIGURES))
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        networks, factors = self.networks, list(self.settings.factor_sizes)
        code_sides = networks.code_shape[:2]
        return block_spec(networks.cuts, code_sides, self.observation_shape, factors)

    def encode(self, observations):
        """Encodes images to one `(batch, dim)` tensor a block."""
        return self.networks.encode(observations)

    def decode(self, latents):
        """Decodes blocks to images `(batch, height, width, channels)`."""
        return self.networks.decode(latents)

    def class_scores(self, latents):
        """Log density of the decoded image under every class, `(batch, num_classes)`."""
        stages = self.networks.stages(self.decode(latents))
        return self.mixture(self.networks.features(stages))

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: points."""
        return {b: tfd.VectorDeterministic(c) for b, c in self.encode(observations).items()}

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training.

        The block of an attribute gets a mixture of one Gaussian for each value, weighted by its
        frequency, and the principal axes of its codes. `source` is a choice among training images
        of each class.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Factors of the examples; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32; `C` is the number of classes for `source`, otherwise 1. Attributes also have
            `"directions": (axes, dim)` and `"values": (K,)`.
        """
        values = factors_of(factors)
        priors = {
            name: mixture_of_values(latents[name], np.asarray(values[name]))
            | {"directions": principal_axes(latents[name])}
            for name in self.settings.attributes
        }
        labels = np.asarray(labels_of(factors))
        source = choice_of_codes(latents[SOURCE], labels, self.num_classes, MOST_IMAGES)
        return priors | {SOURCE: source}

    # --- Training -----------------------------------------------------------------------------

    def sampler(self, images: np.ndarray, factors: Factors) -> Callable[..., PairBatches]:
        """Returns the function that makes batches of pairs; second images come from these examples.

        Warns of rare values.

        Args:
            images: Training images, uint8.
            factors: Factors of the images.

        Returns:
            A function of images, factors and the settings of `Batches`.

        Raises:
            ValueError: An attribute is missing, has one value, or never varies apart from another
                or from the label.
        """
        names = self.settings.attributes
        check_pairs(factors, names)
        share = self.settings.same_share
        pool = (images, factors)
        return functools.partial(PairBatches, pool=pool, attributes=names, same_share=share)

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.elegant.losses`."""
        settings = self.settings
        weights = {
            "reconstruction_loss": 2 * settings.reconstruction_weight,  # of two images
            "generator_loss": settings.gan_weight,
            "discriminator_loss": float(settings.gan_weight > 0),
            "change_loss": settings.change_weight,
            "back_loss": settings.back_weight,
            "restore_loss": settings.restore_weight,
            "cir_loss": settings.cir_weight,
            "mixture_loss": 1.0,
        }
        return {name: weight for name, weight in weights.items() if weight}

    @property
    def relative_rates(self) -> dict[str, tuple[Any, float]]:
        """Parts with their learning rate relative to the other layers."""
        rates: dict[str, tuple[Any, float]] = {"mixture": (self.mixture, MIXTURE_RATE)}
        variables = [v for network in self.discriminators for v in network.trainable_variables]
        if variables:
            rates["discriminators"] = (variables, self.settings.discriminator_rate)
        return rates

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms, for pairs `x` and targets `y` of `PairBatches`."""
        terms, figures = loss_terms(self.settings, self.networks, x, y)
        update_trackers(self.trackers, terms | figures, ops.shape(x)[0])
        return replica_share(sum(self.loss_weights[name] * term for name, term in terms.items()))

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        leading = ops.shape(observations)[: -len(self.observation_shape)]
        images = ops.reshape(observations, (-1, *self.observation_shape))
        codes = self.networks.encode(images)
        return {name: ops.reshape(c, (*leading, c.shape[-1])) for name, c in codes.items()}

    def get_config(self):
        given = {"observation_shape": self.observation_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **given, **asdict(self.settings)}
