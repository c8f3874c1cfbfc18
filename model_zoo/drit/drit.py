"""DRIT: images translated between domains, their content kept and their styles drawn.

Lee et al., Diverse Image-to-Image Translation via Disentangled Representations, ECCV 2018. An
image is encoded to content, a map without domain, and to a style of its domain. Content of one
image in the style of another domain is its translation; two translations must give the image back.
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
from latentloom.model_zoo.backend.probability import OneHotCategorical, tfd
from latentloom.model_zoo.drit.blocks import CONTENT, LOOK
from latentloom.model_zoo.drit.domains import DomainBatches, check_domains
from latentloom.model_zoo.drit.losses import loss_terms
from latentloom.model_zoo.drit.networks import build_networks
from latentloom.model_zoo.drit.priors import MOST_CODES, looks_of_domains
from latentloom.model_zoo.drit.settings import DritSettings
from latentloom.model_zoo.networks.choice_of_codes import choice_of_codes
from latentloom.model_zoo.training.batches import Factors, factors_of, labels_of
from latentloom.model_zoo.training.trackers import make_trackers, update_trackers

MIXTURE_RATE = 10.0
"""Learning rate of the mixture relative to the generator, so that it keeps up with its features."""
HALVES = 2.0
"""The paper sums most terms over two domains; here one mean is over images of both."""


@keras.saving.register_keras_serializable(package="latentloom")
class Drit(keras.Model):
    """Auto-encoder of content and look, trained on unpaired images of two domains or more.

    For domains that look different throughout, such as scanners, seasons, drawings and photographs.
    `sampler` makes the pairs of domains. A style is drawn, or taken from an example.

    Reference:
        Lee et al., ECCV 2018, https://arxiv.org/abs/1808.00948, in the form for K domains of the
        authors' code; `mode_weight` of the later DRIT++; with `cir_weight` Ge et al., WACV 2023,
        https://arxiv.org/abs/2112.03163. Deviates: one loss and one step for all networks; one set
        of networks for all domains; a head that reads the domain; a hinge critic conditional on
        the domain; adaptive instance normalisation and doublings as in MUNIT (Huang et al., ECCV
        2018), with its term for content; zero padding; smaller networks; no weight decay.

    Args:
        observation_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of values of the factor "label".
        **arguments: The fields of `DritSettings`.

    Input shape:
        `(batch, height, width, channels)`, float32 in `[-1, 1]`.

    Output shape:
        The codes: a dictionary of one `(batch, dim)` tensor a block.
    """

    settings_class = DritSettings
    value_range = (-1.0, 1.0)
    monitor = "val_cycle_loss"
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
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.observation_shape = tuple(int(side) for side in observation_shape)
        self.num_classes = num_classes
        self.settings = DritSettings(**arguments).resolved(num_classes)
        self.settings.check(self.observation_shape)
        self.networks = networks = build_networks(
            self.settings, self.observation_shape, num_classes
        )
        # Keras saves weights under the names of these attributes.
        self.content_encoder, self.style_encoder = networks.content_encoder, networks.style_encoder
        self.domain_head, self.generator = networks.domain_head, networks.generator
        self.critic, self.adversary = networks.critic, networks.adversary
        self.mixture, self.noise = networks.mixture, networks.noise
        accuracy = ("label_accuracy",) if networks.mixture else ()
        figures = ("cycle_loss", "content_scale", "style_scale", *accuracy)
        self.trackers = make_trackers((*self.loss_weights, *figures))
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return self.settings.latent_spec(self.networks.content_shape)

    def encode(self, observations):
        """Encodes images to content without noise, and to mean style and most likely domain."""
        return self.networks.encode(observations)

    def decode(self, latents):
        """Decodes blocks to images `(batch, height, width, channels)`."""
        return self.networks.decode(latents)

    def class_scores(self, latents):
        """Scores of the classes, `(batch, num_classes)`.

        The log density of the mean and the standard deviation of content under every class. If
        classes are the domains, the log probability of each for the decoded image.
        """
        if self.mixture is None:
            return ops.log_softmax(self.domain_head(self.decode(latents)))
        return self.mixture(self.networks.features(latents[CONTENT]))

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: a point; Gaussian styles of a domain."""
        loc, log_variance = self.networks.style(observations)
        style = tfd.MultivariateNormalDiag(loc, ops.exp(0.5 * log_variance))
        domain = tfd.VectorDeterministic(self.networks.domain_of(observations))
        content = self.encode(observations)[CONTENT]
        return {CONTENT: tfd.VectorDeterministic(content), LOOK: tfd.Blockwise([style, domain])}

    def prior(self):
        """Distributions that training assumes: N(0, 1) for styles, all domains as likely."""
        style, shares = ops.zeros((self.settings.style_dim,)), [0.0] * self.settings.num_domains
        domain = OneHotCategorical(logits=ops.array(shares), dtype="float32")
        return {LOOK: tfd.Blockwise([tfd.MultivariateNormalDiag(style), domain])}

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training.

        `look` gets a mixture of one Gaussian of styles for each domain, weighted by its frequency.
        `content` is a choice among training codes of each class, or of all where classes are the
        domains.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Factors of the examples; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32; `C` is the number of classes for `content` that carries the label, otherwise
            1. `look` also has `"directions": (style_dim, dim)` and `"values": (K,)`.
        """
        values = factors_of(factors)
        domains = np.asarray(values[str(self.settings.domain)])
        labels, num_classes = np.asarray(labels_of(factors)), self.num_classes
        if self.mixture is None:
            labels, num_classes = np.zeros_like(labels), 1
        return {
            CONTENT: choice_of_codes(latents[CONTENT], labels, num_classes, MOST_CODES),
            LOOK: looks_of_domains(latents[LOOK], domains, self.settings.num_domains),
        }

    # --- Training -----------------------------------------------------------------------------

    def sampler(self, images: np.ndarray, factors: Factors) -> Callable[..., DomainBatches]:
        """Returns the function that makes batches; second images come from these examples.

        Args:
            images: Training images, uint8.
            factors: Factors of the images.

        Returns:
            A function of images, factors and the settings of `Batches`.

        Raises:
            ValueError: The factor of the domain or a label is missing, a domain has too few
                images, or the domain tells the label.
        """
        domain = str(self.settings.domain)
        check_domains(factors, domain, self.settings.num_domains)
        return functools.partial(DomainBatches, pool=(images, factors), domain=domain)

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.drit.losses`."""
        settings = self.settings
        weights = {
            "reconstruction_loss": HALVES * settings.reconstruction_weight,
            "cross_cycle_loss": HALVES * settings.reconstruction_weight,
            "squared_loss": HALVES * settings.squared_weight,
            "kl_loss": HALVES * settings.kl_weight,
            "content_penalty": HALVES * settings.content_penalty,
            "style_loss": HALVES * settings.style_weight,
            "content_loss": settings.content_weight,
            "mode_loss": settings.mode_weight,
            "generator_loss": HALVES * settings.gan_weight,
            "discriminator_loss": HALVES * bool(settings.gan_weight),
            "confusion_loss": HALVES * settings.adversary_weight,
            "adversary_loss": HALVES * bool(settings.adversary_weight),
            "domain_loss": 1.0,
            "cir_loss": settings.cir_weight,
            "mixture_loss": float(settings.domain != "label"),
        }
        return {name: weight for name, weight in weights.items() if weight}

    @property
    def relative_rates(self) -> dict[str, tuple[Any, float]]:
        """Networks with their learning rate relative to the generator."""
        settings = self.settings
        rates = {
            "critic": (self.critic, settings.discriminator_rate),
            "adversary": (self.adversary, settings.adversary_rate),
            "mixture": (self.mixture, MIXTURE_RATE),
        }
        return {name: pair for name, pair in rates.items() if pair[0] is not None}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms, for images `x` and answers `y` of `DomainBatches`."""
        found, figures = loss_terms(self.settings, self.networks, x, y)
        terms = {name: found[name] for name in self.loss_weights}
        update_trackers(self.trackers, terms | figures, ops.shape(x)[0])
        return replica_share(sum(self.loss_weights[name] * term for name, term in terms.items()))

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        return self.encode(observations)

    def get_config(self):
        given = {"observation_shape": self.observation_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **given, **asdict(self.settings)}
