"""The zs/zu variational auto-encoder.

Zheng & Sun, Disentangling Latent Space for VAE by Label Relevant/Irrelevant Dimensions, CVPR 2019.
Two encoders read the same image. The first returns a point `zs`, which follows a mixture of one
Gaussian a class. The second returns a Gaussian posterior of `zu`; training makes an adversary fail
to predict the class from it. One decoder reconstructs the image from both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.training.batches import labels_of
from latentloom.model_zoo.training.trackers import make_trackers, update_trackers
from latentloom.model_zoo.zszu_vae.losses import EVIDENCE_TERMS, loss_terms
from latentloom.model_zoo.zszu_vae.networks import build_networks
from latentloom.model_zoo.zszu_vae.priors import (
    centred_normal,
    class_gaussians,
    learnt_components,
    refitted_components,
)
from latentloom.model_zoo.zszu_vae.settings import ZsZuVAESettings
from latentloom.model_zoo.zszu_vae.zu_heads import diagonal_normal

MOST_NATS_A_DIM = 20.0
"""Mean KL a dimension of `zu` above which training has diverged; 1 to 3 nats are useful."""


@keras.saving.register_keras_serializable(package="latentloom")
class ZsZuVAE(keras.Model):
    """Auto-encoder with a label-relevant block `zs` and a label-irrelevant block `zu`.

    Reference:
        Zheng & Sun, CVPR 2019, https://arxiv.org/abs/1812.09502. Deviates: all groups of
        variables are trained together on one scalar loss, with stop-gradients in place of the
        paper's alternating phases; the precision of the mixture is clipped; the target of the
        confusion loss is the class distribution of the data, not the uniform distribution (equal
        for balanced classes); the second kind of fakes of the GAN form draws `zs` from the learnt
        mixture in only a share of the batch, because its components are wider than the codes.

    Args:
        observation_shape: `(height, width, channels)` in pixels, or `(features,)` for vectors.
        num_classes: Integer, number of classes.
        **arguments: The fields of `ZsZuVAESettings`.

    Input shape:
        `(batch, height, width, channels)`, float32 in `[-1, 1]`, or `(batch, features)`.

    Output shape:
        A dictionary: `zs` `(batch, zs_dim)`; `zu`, `zu_loc` and `zu_log_variance`
        `(batch, zu_dim)`; `reconstruction` with the shape of the input.
    """

    settings_class = ZsZuVAESettings
    value_range = (-1.0, 1.0)
    monitor = "val_negative_elbo"

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
        self.settings = ZsZuVAESettings(**arguments).resolved(self.observation_shape, num_classes)
        self.settings.check()
        noise_variance, zu_dim = self.settings.noise_variance, self.settings.zu_dim
        self.reconstruction_weight = math.prod(self.observation_shape) / (
            2 * noise_variance * zu_dim
        )
        self.networks = networks = build_networks(
            self.settings, self.observation_shape, num_classes
        )
        # Keras saves weights under the names of these attributes.
        self.zs_encoder, self.head = networks.zs_encoder, networks.head
        self.zu_encoder, self.decoder = networks.zu_encoder, networks.decoder
        self.adversary, self.mixture = networks.adversary, networks.mixture
        self.discriminator, self.noise = networks.discriminator, networks.noise
        self.trackers = make_trackers((*self.loss_weights, "negative_elbo", "zs_accuracy"))
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return self.settings.latent_spec

    def encode(self, observations):
        """Encodes to the point `zs` and the mean of the posterior of `zu`, without noise."""
        return self.networks.encode(observations)

    def decode(self, latents):
        """Decodes to the mean of the likelihood, `(batch, height, width, channels)`."""
        return self.networks.decode(latents)

    def class_scores(self, latents):
        """Log density of `zs` under every class, `(batch, num_classes)`, up to a constant."""
        return self.mixture(latents["zs"])

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: a point for `zs`, a Gaussian for `zu`."""
        zu = self.head.moments(self.zu_encoder(observations))
        return {
            "zs": tfd.VectorDeterministic(self.zs_encoder(observations)),
            "zu": diagonal_normal(zu["zu_loc"], zu["zu_log_variance"]),
        }

    def prior(self):
        """Distributions of the blocks over all classes."""
        return {"zs": self.mixture.mixture(), "zu": self.head.prior()}

    def class_prior(self, labels):
        """Distributions of the blocks given labels `(batch,)`."""
        return {"zs": self.mixture.components(labels), "zu": self.head.prior()}

    def likelihood(self, latents):
        """Distribution of observations given blocks: pixels with independent Gaussian noise."""
        return tfd.Independent(
            tfd.Normal(self.decode(latents), self.noise_scale),
            reinterpreted_batch_ndims=len(self.observation_shape),
        )

    @property
    def noise_scale(self) -> float:
        """Scale of the pixel noise that the loss weights imply, in units of the input.

        `reconstruction_weight * mse + kl_weight * kl / zu_dim` is proportional to minus the
        evidence bound with this noise.
        """
        return (self.settings.kl_weight * self.settings.noise_variance) ** 0.5

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training.

        The components of the learnt mixture are wider than the codes. So by default each class gets
        the mean and the standard deviation of its codes (see `sampled_prior`). `zu` keeps the prior
        of its head, or gets Gaussians of its codes (see `zu_prior`).

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Factors of the examples, of which only the label is used; every class at least
                once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            floats; `C` is the number of classes for `zs` and a fitted `zu`, else 1, and `K` = 1.
            A fitted `zu` has `"axes": (dim, dim)`, too.
        """
        if self.settings.sampled_prior == "learnt":
            zs = learnt_components(self.mixture)
        else:
            zs = refitted_components(latents["zs"], labels_of(factors), self.num_classes)
        if self.settings.zu_prior == "fitted":
            zu = class_gaussians(latents["zu"], labels_of(factors), self.num_classes)
        else:
            zu = centred_normal(self.head.scale())
        return {"zs": zs, "zu": zu}

    # --- Training -----------------------------------------------------------------------------

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.zszu_vae.losses`."""
        settings = self.settings
        weights = {
            "class_loss": 1.0,
            "likelihood_loss": settings.likelihood_weight,
            "reconstruction_loss": self.reconstruction_weight,
            "kl_zu": settings.kl_weight / settings.zu_dim,
            "code_loss": settings.code_weight,
            "confusion_loss": settings.adversary_weight,
            "adversary_loss": 1.0,
            "mmd_loss": settings.mmd_weight,
            "tc_loss": settings.tc_weight,
            "consistency_loss": settings.consistency_weight,
        }
        gan = {"generator_loss": settings.gan_weight, "discriminator_loss": 1.0}
        cir = {"cir_loss": settings.cir_weight} if settings.cir_weight else {}
        return weights | (gan if settings.gan_weight else {}) | cir | self.head.penalty_weights

    @property
    def relative_rates(self) -> dict[str, tuple[keras.Model, float]]:
        """Networks with their learning rate relative to the other networks."""
        groups = {"adversary": (self.adversary, float(self.settings.adversary_steps))}
        if self.settings.gan_weight:
            groups["discriminator"] = (self.discriminator, self.settings.discriminator_rate)
        return {name: pair for name, pair in groups.items() if pair[1] != 1.0}

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Matrices with orthonormal columns, with their learning rate relative to the networks."""
        return self.head.stiefel_groups

    def settle(self, observations: Iterable[np.ndarray]) -> None:
        """Sorts the axes of `zu` by variance, given all training examples, if the head can."""
        self.head.settle(self.zu_encoder(batch) for batch in observations)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of all terms, which trains every group of variables."""
        labels = ops.cast(y, "int32")
        terms = loss_terms(self.settings, self.networks, x, labels, y_pred)
        weighted = {name: weight * terms[name] for name, weight in self.loss_weights.items()}
        negative_elbo = sum(weighted[name] for name in EVIDENCE_TERMS)
        predicted = ops.cast(ops.argmax(self.mixture(y_pred["zs"]), axis=-1), "int32")
        accuracy = ops.mean(ops.cast(predicted == labels, "float32"))
        figures = {**terms, "negative_elbo": negative_elbo, "zs_accuracy": accuracy}
        update_trackers(self.trackers, figures, ops.shape(x)[0])
        return replica_share(sum(weighted.values()))

    def symptom_of_divergence(self, figures: dict[str, float]) -> tuple[str, str] | None:
        """Detects from the figures of an epoch that `zu` diverges from its prior.

        Returns:
            The expected and received figure, and the setting to lower; or `None`.
        """
        bound = MOST_NATS_A_DIM * self.settings.zu_dim
        if figures["kl_zu"] <= bound:
            return None
        received = f"Received: kl_zu={figures['kl_zu']:.4g}: zu flees from the adversary"
        return f"kl_zu of at most {bound:g} nats. {received}", "model.args.adversary_weight"

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        zs = self.zs_encoder(observations, training=training)
        moments = self.head.moments(self.zu_encoder(observations), training)
        zu = self.networks.draw(moments["zu_loc"], moments["zu_log_variance"])
        return {"zs": zs, "zu": zu, "reconstruction": self.decode({"zs": zs, "zu": zu}), **moments}

    def get_config(self):
        given = {"observation_shape": self.observation_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **given, **asdict(self.settings)}
