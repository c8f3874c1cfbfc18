"""The hierarchically factorised variational auto-encoder.

Esmaeili et al., Structured Disentangled Representations, AISTATS 2019. The code has named blocks,
Gaussian or categorical. The KL divergence of the code from its prior is split into four terms, each
with a weight: the mutual information of code and image, the total correlation of the blocks, the
total correlation of the dimensions within a block, and the divergence of each dimension from its
prior.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import stateless_seed, tfd
from latentloom.model_zoo.hfvae.labels import label_batches
from latentloom.model_zoo.hfvae.likelihoods import VALUE_RANGE
from latentloom.model_zoo.hfvae.losses import EVIDENCE_TERMS, loss_terms
from latentloom.model_zoo.hfvae.networks import build_networks
from latentloom.model_zoo.hfvae.priors import fit_priors
from latentloom.model_zoo.hfvae.settings import HFVAESettings
from latentloom.model_zoo.hfvae.topics import topic_weights
from latentloom.model_zoo.training.batches import Batches, Factors, labels_of
from latentloom.model_zoo.training.trackers import make_trackers, update_trackers


@keras.saving.register_keras_serializable(package="latentloom")
class HFVAE(keras.Model):
    """Auto-encoder with named blocks, independent of one another and in their dimensions.

    A categorical block may be tied to the label. It then carries the label, learnt from a share of
    the labels. Without such a block no network sees a label; after training, labels only select the
    codes to which the density of each class is fitted.

    With all four weights of the divergence at 1 this is a VAE, with all at `b` a beta-VAE, and with
    one block and only `within_weight` above 1 a beta-TCVAE.

    Reference:
        Esmaeili et al., AISTATS 2019, https://arxiv.org/abs/1804.02086. Deviates: terms of
        categorical blocks are exact sums over their values; the posterior of every block depends
        only on the image; log variances are bounded; `dimension_wise_weight`.

    Args:
        observation_shape: `(height, width, channels)` in pixels, `(features,)` for vectors, or
            `(words,)` for bags of words.
        num_classes: Integer, number of classes.
        **arguments: The fields of `HFVAESettings`.

    Input shape:
        Observations in `[-1, 1]`, or counts of words, `(batch, *observation_shape)`.

    Output shape:
        A dictionary. For each block `z`: `z`, a code drawn from the posterior, `(batch, dim)`; and
        the posterior, `z/loc` and `z/log_variance`, or `z/log_probabilities` if categorical.
    """

    settings_class = HFVAESettings
    value_range = VALUE_RANGE
    monitor = "val_negative_elbo"
    """Unlike the estimates of its terms, it does not depend on the batch size."""

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
        self.settings = HFVAESettings(**arguments).resolved(self.observation_shape)
        self.settings.check(self.observation_shape, num_classes)
        self.networks = build_networks(self.settings, self.observation_shape, num_classes)
        # Keras saves weights under the names of these attributes.
        self.encoder, self.decoder = self.networks.encoder, self.networks.decoder
        self.densities = self.networks.densities
        self.label_block = self.networks.label_block
        self.noise = keras.random.SeedGenerator(self.settings.seed)
        figures = (*self.loss_weights, "negative_elbo", "objective")
        self.trackers = make_trackers((*figures, "label_accuracy") if self.label_block else figures)
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order; if none is tied to the label, each of them may carry it."""
        blocks, measured = self.networks.blocks, self.networks.likelihood.measured_blocks
        factors = {block.name: block.factor for block in blocks}
        dims = {block.name: block.dim for block in blocks} | measured
        return {
            name: {
                "dim": dim,
                "factors": ["label"] if factors.get(name) or not self.label_block else [],
            }
            for name, dim in dims.items()
        }

    def encode(self, observations):
        """Encodes to means of Gaussian, probabilities of categorical, and measured blocks."""
        moments = self.networks.moments(observations)
        code = {block.name: block.point(moments) for block in self.networks.blocks}
        return code | self.networks.likelihood.measure(observations)

    def decode(self, latents):
        """Decodes to the mean of the likelihood, `(batch, *observation_shape)`."""
        return self.networks.likelihood.mean(self.networks.decode(latents), latents)

    def class_scores(self, latents):
        """Log probability of the label; or, without its block, fitted log density in every class.

        Args:
            latents: One `(batch, dim)` tensor a block.

        Returns:
            `(batch, num_classes)` in nats.
        """
        if self.label_block:
            code = ops.clip(latents[self.label_block.name], 0.0, 1.0)
            return self.label_block.log_probabilities(code)
        return sum(density.log_prob(latents[name]) for name, density in self.densities.items())

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: Gaussians, one-hot codes, or points."""
        moments = self.networks.moments(observations)
        measured = self.networks.likelihood.measure(observations)
        learnt = {block.name: block.posterior(moments) for block in self.networks.blocks}
        return learnt | {name: tfd.VectorDeterministic(code) for name, code in measured.items()}

    def prior(self):
        """Distributions of the learnt blocks: standard normal, or uniform over one-hot codes.

        Measured blocks have a prior only after training; see `fitted_priors`.
        """
        return {block.name: block.prior() for block in self.networks.blocks}

    def likelihood(self, latents):
        """Distribution of observations given the blocks; see `model_zoo.hfvae.likelihoods`."""
        return self.networks.likelihood.distribution(self.networks.decode(latents), latents)

    def evidence_bound(self, observations, seed):
        """Lower bound on the log probability of every observation, from one draw of its posterior.

        Args:
            observations: `(batch, *observation_shape)`.
            seed: Integers `(2,)`, seed of the draw.

        Returns:
            `(batch,)` in nats; the bound holds in expectation. For bags of words it bounds the log
            probability of the words in order, given their number.
        """
        posterior, prior = self.posterior(observations), self.prior()
        codes = {
            name: posterior[name].sample(seed=stateless_seed(seed + ops.array([place, 0], "int32")))
            for place, name in enumerate(prior)
        }
        divergence = sum(tfd.kl_divergence(posterior[name], prior[name]) for name in prior)
        decoded = self.networks.decode(codes)
        errors = self.networks.likelihood.reconstruction_loss(observations, decoded)
        return -errors - divergence

    def topic_weights(self):
        """Weight of each word in each dimension of the learnt blocks, `(dim, words)`.

        `None` if the observations are not bags of words; see `model_zoo.hfvae.topics`.
        """
        has_words = self.settings.likelihood == "multinomial"
        return topic_weights(self.decoder) if has_words else None

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training.

        With a block for the label, this block gets one value a class, every other learnt block the
        prior of the model, and a measured block one Gaussian. Without one, each Gaussian block gets
        a mixture fitted to the codes of every class, each categorical block the weights of its
        values in every class, and a measured block one Gaussian a class; `class_scores` uses them
        from then on.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Factors of the examples, of which only the label is used; every class at least
                once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32; `C` is the number of classes, or 1 if the prior does not depend on the class.
            The components of categorical blocks are one-hot codes with a scale of 0.
        """
        return fit_priors(self.networks, latents, factors, self.settings.seed)

    # --- Training -----------------------------------------------------------------------------

    def sampler(self, images: np.ndarray, factors: Factors) -> Callable[..., Batches]:
        """Returns the function that makes batches, of training and of validation examples."""
        if self.label_block:
            return label_batches(self.settings.label_share, self.settings.seed)
        return lambda images, factors, **settings: Batches(images, labels_of(factors), **settings)

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.hfvae.losses`."""
        settings = self.settings
        weights = {
            "reconstruction_loss": 1.0,
            "mutual_information": settings.mutual_information_weight,
            "between_blocks": settings.between_weight,
            "within_blocks": settings.within_weight,
            "dimension_wise": settings.dimension_wise_weight,
        }
        return weights | ({"label_loss": settings.label_weight} if self.label_block else {})

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms; if the label has a block, `y` is as in `LabelBatches`."""
        terms = loss_terms(self.settings, self.networks, x, y, y_pred, training)
        objective = sum(weight * terms[name] for name, weight in self.loss_weights.items())
        negative_elbo = sum(terms[name] for name in EVIDENCE_TERMS)
        figures = {**terms, "negative_elbo": negative_elbo, "objective": objective}
        update_trackers(self.trackers, figures, ops.shape(x)[0])
        return replica_share(objective)

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        moments, blocks = self.networks.moments(observations, training), self.networks.blocks
        return moments | {block.name: block.draw(moments, self.noise) for block in blocks}

    def get_config(self):
        given = {"observation_shape": self.observation_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **given, **asdict(self.settings)}
