"""The zs/zu variational auto-encoder.

Zheng & Sun, Disentangling Latent Space for VAE by Label Relevant/Irrelevant Dimensions, CVPR 2019.
Two encoders read the same image. One gives a point `zs`, shaped into one Gaussian a class; the
other gives a Gaussian posterior over `zu`, from which an adversary must not be able to read the
class. One decoder draws the image from both.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Sequence

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.networks.architecture import resolve_network
from latentloom.model_zoo.training.batches import labels_of
from latentloom.model_zoo.zszu_vae.losses import EVIDENCE_TERMS, loss_terms
from latentloom.model_zoo.zszu_vae.networks import build_networks
from latentloom.model_zoo.zszu_vae.priors import (
    centred_normal,
    learnt_components,
    refitted_components,
)
from latentloom.model_zoo.zszu_vae.settings import check_arguments
from latentloom.model_zoo.zszu_vae.zu_heads import diagonal_normal

MOST_NATS_A_DIM = 20.0
"""KL of a dimension of `zu` beyond which it has left its prior for good; useful: 1 to 3 nats."""


@keras.saving.register_keras_serializable(package="latentloom")
class ZsZuVAE(keras.Model):
    """Auto-encoder whose code is split into a label-relevant and a label-irrelevant block.

    Reference:
        Zheng & Sun, CVPR 2019, https://arxiv.org/abs/1812.09502. Deviates: all groups of
        variables are trained together on one scalar loss, with stop-gradients in place of the
        paper's alternating phases; the precision of the mixture is clipped; the adversary's
        target is the class distribution of the data, not the uniform one (the same for balanced
        classes); the second kind of fakes of the GAN form takes `zs` from the learnt mixture in a
        share of the batch only, as its components are wider than the codes.

    Args:
        image_shape: `(height, width, channels)` in pixels, or `(features,)` of a vector.
        num_classes: Integer, number of classes.
        zs_dim: Integer, size of the block `zs`, which carries the label.
        zu_dim: Integer, size of the block `zu`, which carries everything else.
        zu_head: `"gaussian"`, or `"stiefel"` for axes of `zu` that are decorrelated and sorted by
            variance; see `model_zoo.zszu_vae.zu_heads`.
        zu_feature_dim: Integer, size of the features of the latter, at least `zu_dim`.
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        width: Integer, channels of the outermost convolution.
        hidden_dim: Integer, size of the hidden dense layers.
        kernel_size: Integer, side of the kernels of convolutions, in pixels.
        base_side: Integer, longest side at which no further convolution halves the image.
        group_norm: Whether group normalisation follows the convolutions of encoders and decoder.
        dropout: Float in `[0, 1)`, share of hidden units of the zs encoder dropped in training.
        class_probabilities: Sequence of floats that sum to 1, the share of each class in the
            training data, or `None` for balanced classes.
        noise_variance: Float, variance of the pixel noise of the likelihood at `kl_weight` 1, in
            squared units of the input. It gives the mean squared error per pixel the weight
            `pixels / (2 * noise_variance * zu_dim)` and means the same at every image size.
        kl_weight: Float, weight of the KL divergence per dimension of `zu`.
        precision: `"learnt"`, or `"fixed"` to 1: precision of the mixture's components.
        likelihood_weight: Float, weight of minus the log density of `zs` under its class.
        code_weight: Float, weight of the same on the encoder alone, centres held still; keeps
            `zs` from becoming a free auto-encoder code.
        adversary_weight: Float, weight of the pressure on `zu` to tell nothing of the class.
        adversary_steps: Integer, for how many steps of the adversary one step counts: it learns
            from so many draws of `zu`, at so many times the learning rate.
        mmd_weight: Float, weight of the class-conditional maximum mean discrepancy of `zu`, an
            alternative to the adversary that needs no network.
        tc_weight: Float, weight of the total correlation of `zu` and of the class that `zs` tells,
            another such alternative.
        consistency_weight: Float, weight of the class that the encoder of `zs` reads in images
            decoded from `zs` and a draw of `zu` from its prior, as the decoder sees it. Not in the
            paper: there the decoder only ever sees posterior samples of `zu`.
        mixture_share: Float in `[0, 1]`, share of these images whose `zs` is drawn from the learnt
            mixture; the others keep the `zs` of the batch.
        gan_weight: Float, weight of the decoder's hinge loss against a class-conditional
            discriminator of images; 0 for none.
        discriminator_rate: Float, learning rate of the discriminator, in units of the model's.
        cir_weight: Float, weight of the interpolation regulariser; 0 for none.
        cir_blocks: Names of the blocks to interpolate, one drawn for each example, or `None` for
            both; for this and the next three see `model_zoo.losses.interpolation`.
        cir_alpha: `"dimension"` or `"example"`.
        cir_distance: `"mse"`, `"mae"`, `"scaled_mse"` or `"unheld_scaled_mse"`.
        cir_stop_gradient: Whether the target of the regulariser is held constant.
        margin: Float, margin of the mixture's classification loss.
        sampled_prior: `"refitted"` to the codes of each class after training, or `"learnt"`: the
            components of the mixture that `zs` is drawn from when variants are made.
        seed: Integer, seed of the posterior samples drawn in training.

    Input shape:
        `(batch, height, width, channels)`, float32 in `[-1, 1]`, or `(batch, features)`.

    Output shape:
        A dictionary: `zs` `(batch, zs_dim)`; `zu`, `zu_loc` and `zu_log_variance`
        `(batch, zu_dim)`; `reconstruction` with the shape of the input.
    """

    value_range = (-1.0, 1.0)
    monitor = "val_negative_elbo"

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        zs_dim: int = 16,
        zu_dim: int = 32,
        zu_head: str = "gaussian",
        zu_feature_dim: int = 50,
        network: str = "auto",
        width: int = 32,
        hidden_dim: int = 256,
        kernel_size: int = 4,
        base_side: int = 8,
        group_norm: bool = False,
        dropout: float = 0.0,
        class_probabilities: Sequence[float] | None = None,
        noise_variance: float = 1.225,
        kl_weight: float = 1.0,
        precision: str = "learnt",
        likelihood_weight: float = 0.1,
        code_weight: float = 1.0,
        adversary_weight: float = 1.0,
        adversary_steps: int = 1,
        mmd_weight: float = 0.0,
        tc_weight: float = 0.0,
        consistency_weight: float = 1.0,
        mixture_share: float = 0.25,
        gan_weight: float = 0.0,
        discriminator_rate: float = 1.0,
        cir_weight: float = 0.0,
        cir_blocks: Sequence[str] | None = None,
        cir_alpha: str = "dimension",
        cir_distance: str = "mse",
        cir_stop_gradient: bool = False,
        margin: float = 0.0,
        sampled_prior: str = "refitted",
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(int(side) for side in image_shape)
        self.num_classes, self.zs_dim, self.zu_dim = num_classes, zs_dim, zu_dim
        self.zu_head, self.zu_feature_dim = zu_head, zu_feature_dim
        self.network = resolve_network(network, self.image_shape)
        self.width, self.hidden_dim, self.dropout = width, hidden_dim, dropout
        self.kernel_size, self.base_side, self.group_norm = kernel_size, base_side, group_norm
        self.class_probabilities = tuple(class_probabilities or [1.0 / num_classes] * num_classes)
        self.noise_variance, self.kl_weight, self.precision = noise_variance, kl_weight, precision
        self.likelihood_weight, self.code_weight = likelihood_weight, code_weight
        self.adversary_weight, self.adversary_steps = adversary_weight, adversary_steps
        self.mmd_weight, self.tc_weight = mmd_weight, tc_weight
        self.consistency_weight, self.mixture_share = consistency_weight, mixture_share
        self.gan_weight, self.discriminator_rate = gan_weight, discriminator_rate
        self.cir_weight, self.cir_blocks = cir_weight, list(cir_blocks) if cir_blocks else None
        self.cir_alpha, self.cir_distance = cir_alpha, cir_distance
        self.cir_stop_gradient = cir_stop_gradient
        self.margin, self.sampled_prior, self.seed = margin, sampled_prior, seed
        check_arguments(self)
        self.reconstruction_weight = math.prod(self.image_shape) / (2 * noise_variance * zu_dim)

        build_networks(self)
        self.noise = keras.random.SeedGenerator(seed)
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in (*self.loss_weights, "negative_elbo", "zs_accuracy")
        }
        self.built = True

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order, with their sizes and the factors that they carry."""
        return {
            "zs": {"dim": self.zs_dim, "factors": ["label"]},
            "zu": {"dim": self.zu_dim, "factors": []},
        }

    def encode(self, observations):
        """Encodes to the point `zs` and the mean of the posterior of `zu`, without noise."""
        zu = self.head.moments(self.zu_encoder(observations))["zu_loc"]
        return {"zs": self.zs_encoder(observations), "zu": zu}

    def decode(self, latents):
        """Decodes to the mean of the likelihood, `(batch, height, width, channels)`."""
        zu = self.head.lift(latents["zu"])
        return self.decoder(ops.concatenate([latents["zs"], zu], axis=-1))

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

    def prior(self, labels=None):
        """Distributions of the blocks, given labels `(batch,)` or over all classes."""
        zs = self.mixture.mixture() if labels is None else self.mixture.components(labels)
        return {"zs": zs, "zu": self.head.prior()}

    def likelihood(self, latents):
        """Distribution of observations given blocks: pixels with independent Gaussian noise."""
        return tfd.Independent(
            tfd.Normal(self.decode(latents), self.noise_scale),
            reinterpreted_batch_ndims=len(self.image_shape),
        )

    @property
    def noise_scale(self) -> float:
        """Scale of the pixel noise that the loss weights amount to, in units of the input.

        From `reconstruction_weight * mse + kl_weight * kl / zu_dim`, which is proportional to
        minus the evidence bound with this noise.
        """
        return (self.kl_weight * self.noise_variance) ** 0.5

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training.

        The learnt precision of the mixture is wider than the codes are spread, so by default each
        class gets the mean and the standard deviation of its codes (see `sampled_prior`); `zu`
        keeps the prior of its head.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Their factors, of which the label counts; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32, with `C` classes (or 1, where the class makes no difference) and `K` = 1.
        """
        by_class = learnt_components if self.sampled_prior == "learnt" else refitted_components
        return {
            "zs": by_class(self, latents["zs"], labels_of(factors)),
            "zu": centred_normal(self.head.scale()),
        }

    # --- Training -----------------------------------------------------------------------------

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.zszu_vae.losses`."""
        weights = {
            "class_loss": 1.0,
            "likelihood_loss": self.likelihood_weight,
            "reconstruction_loss": self.reconstruction_weight,
            "kl_zu": self.kl_weight / self.zu_dim,
            "code_loss": self.code_weight,
            "confusion_loss": self.adversary_weight,
            "adversary_loss": 1.0,
            "mmd_loss": self.mmd_weight,
            "tc_loss": self.tc_weight,
            "consistency_loss": self.consistency_weight,
        }
        gan = {"generator_loss": self.gan_weight, "discriminator_loss": 1.0}
        cir = {"cir_loss": self.cir_weight} if self.cir_weight else {}
        return weights | (gan if self.gan_weight else {}) | cir | self.head.penalty_weights

    @property
    def relative_rates(self) -> dict[str, tuple[keras.Model, float]]:
        """Networks whose learning rate is a multiple of the others'."""
        groups = {"adversary": (self.adversary, float(self.adversary_steps))}
        if self.gan_weight:
            groups["discriminator"] = (self.discriminator, self.discriminator_rate)
        return {name: pair for name, pair in groups.items() if pair[1] != 1.0}

    @property
    def stiefel_groups(self) -> dict[str, tuple[Sequence[keras.Variable], float]]:
        """Matrices with orthonormal columns, and their learning rate over that of the others."""
        return self.head.stiefel_groups

    def settle(self, observations: Iterable[np.ndarray]) -> None:
        """Sorts the axes of `zu` by variance, given all training examples, if the head has such."""
        self.head.settle(self.zu_encoder(batch) for batch in observations)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of what every group of variables minimises."""
        labels = ops.cast(y, "int32")
        terms = loss_terms(self, x, labels, y_pred)
        weighted = {name: weight * terms[name] for name, weight in self.loss_weights.items()}
        negative_elbo = sum(weighted[name] for name in EVIDENCE_TERMS)
        predicted = ops.cast(ops.argmax(self.mixture(y_pred["zs"]), axis=-1), "int32")
        accuracy = ops.mean(ops.cast(predicted == labels, "float32"))
        figures = {**terms, "negative_elbo": negative_elbo, "zs_accuracy": accuracy}
        for name, value in figures.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(x)[0])
        return replica_share(sum(weighted.values()))

    def symptom_of_divergence(self, figures: dict[str, float]) -> tuple[str, str] | None:
        """What shows in the figures of an epoch that the adversary and its prey run away.

        Returns:
            What was expected and received, and the setting to lower; or `None`.
        """
        if figures["kl_zu"] <= MOST_NATS_A_DIM * self.zu_dim:
            return None
        bound = MOST_NATS_A_DIM * self.zu_dim
        received = f"Received: kl_zu={figures['kl_zu']:.4g}: zu flees from the adversary"
        return f"kl_zu of at most {bound:g} nats. {received}", "model.args.adversary_weight"

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        zs = self.zs_encoder(observations, training=training)
        moments = self.head.moments(self.zu_encoder(observations), training)
        zu = self.draw(moments["zu_loc"], moments["zu_log_variance"])
        return {"zs": zs, "zu": zu, "reconstruction": self.decode({"zs": zs, "zu": zu}), **moments}

    def draw(self, loc, log_variance):
        """A sample of normals of some means and log variances, differentiable in both."""
        noise = keras.random.normal(ops.shape(loc), seed=self.noise)
        return loc + ops.exp(0.5 * log_variance) * noise

    def get_config(self):
        parameters = inspect.signature(type(self).__init__).parameters
        names = [name for name in parameters if name not in ("self", "kwargs")]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
