"""The zs/zu variational auto-encoder.

Zheng & Sun, Disentangling Latent Space for VAE by Label Relevant/Irrelevant Dimensions, CVPR 2019.
Two encoders read the same image. One gives a point `zs`, shaped into one Gaussian a class; the
other gives a Gaussian posterior over `zu`, from which an adversary must not be able to read the
class. One decoder draws the image from both.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from model_zoo.adversary import adversary_losses, call_frozen
from model_zoo.devices import replica_share
from model_zoo.gaussian_mixture import ClassMixture, mixture_losses
from model_zoo.networks import classifier_head, image_decoder, image_encoder, resolve_network
from model_zoo.probability import tfd

EVIDENCE_TERMS = ("class_loss", "likelihood_loss", "reconstruction_loss", "kl_zu")
SPLIT_TERMS = ("code_loss", "confusion_loss", "adversary_loss", "consistency_loss")


@keras.saving.register_keras_serializable(package="latentloom")
class ZsZuVAE(keras.Model):
    """Auto-encoder whose code is split into a label-relevant and a label-irrelevant block.

    Reference:
        Zheng & Sun, CVPR 2019, https://arxiv.org/abs/1812.09502. Deviates: all groups of
        variables are trained together by one optimizer on one scalar loss, with stop-gradients
        in place of the paper's alternating phases; the precision of the mixture is clipped; the
        adversary's target is the class distribution of the data, not the uniform one (the same
        for balanced classes).

    Args:
        image_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of classes.
        zs_dim: Integer, size of the block `zs`, which carries the label.
        zu_dim: Integer, size of the block `zu`, which carries everything else.
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        width: Integer, channels of the outermost convolution.
        hidden_dim: Integer, size of the hidden dense layers.
        dropout: Float in `[0, 1)`, share of hidden units of the zs encoder dropped in training.
        class_probabilities: Sequence of floats that sum to 1, the share of each class in the
            training data, or `None` for balanced classes.
        reconstruction_weight: Float, weight of the mean squared error per pixel and channel.
        kl_weight: Float, weight of the KL divergence per dimension of `zu`.
        likelihood_weight: Float, weight of minus the log density of `zs` under its class.
        code_weight: Float, weight of the same on the encoder alone, centres held still; keeps
            `zs` from becoming a free auto-encoder code.
        adversary_weight: Float, weight of the pressure on `zu` to tell nothing of the class.
        consistency_weight: Float, weight of the class that the encoder of `zs` reads in images
            decoded from `zs` and a draw of `zu` from its prior, as the decoder sees it. Not in the
            paper: there the decoder only ever sees posterior samples of `zu`.
        margin: Float, margin of the mixture's classification loss.
        seed: Integer, seed of the posterior samples drawn in training.

    Input shape:
        `(batch, height, width, channels)`, float32 in `[-1, 1]`.

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
        network: str = "auto",
        width: int = 32,
        hidden_dim: int = 256,
        dropout: float = 0.0,
        class_probabilities: Sequence[float] | None = None,
        reconstruction_weight: float = 10.0,
        kl_weight: float = 1.0,
        likelihood_weight: float = 0.1,
        code_weight: float = 1.0,
        adversary_weight: float = 1.0,
        consistency_weight: float = 1.0,
        margin: float = 0.0,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(int(side) for side in image_shape)
        self.num_classes, self.zs_dim, self.zu_dim = num_classes, zs_dim, zu_dim
        self.network = resolve_network(network, self.image_shape)
        self.width, self.hidden_dim, self.dropout = width, hidden_dim, dropout
        self.class_probabilities = tuple(class_probabilities or [1.0 / num_classes] * num_classes)
        self.reconstruction_weight, self.kl_weight = reconstruction_weight, kl_weight
        self.likelihood_weight, self.code_weight = likelihood_weight, code_weight
        self.adversary_weight, self.consistency_weight = adversary_weight, consistency_weight
        self.margin, self.seed = margin, seed

        sizes = {"network": self.network, "width": width, "hidden_dim": hidden_dim}
        self.zs_encoder = image_encoder(
            self.image_shape, zs_dim, dropout=dropout, name="zs_encoder", **sizes
        )
        self.zu_encoder = image_encoder(self.image_shape, 2 * zu_dim, name="zu_encoder", **sizes)
        self.decoder = image_decoder(zs_dim + zu_dim, self.image_shape, name="decoder", **sizes)
        self.adversary = classifier_head(
            zu_dim, num_classes, hidden_dim=hidden_dim, name="adversary"
        )
        self.mixture = ClassMixture(num_classes, zs_dim, name="mixture", dtype="float32")
        self.noise = keras.random.SeedGenerator(seed)
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in (*EVIDENCE_TERMS, *SPLIT_TERMS, "negative_elbo", "zs_accuracy")
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
        zu_loc, _ = ops.split(self.zu_encoder(observations), 2, axis=-1)
        return {"zs": self.zs_encoder(observations), "zu": zu_loc}

    def decode(self, latents):
        """Decodes to the mean of the likelihood, `(batch, height, width, channels)`."""
        return self.decoder(ops.concatenate([latents["zs"], latents["zu"]], axis=-1))

    def class_scores(self, latents):
        """Log density of `zs` under every class, `(batch, num_classes)`, up to a constant."""
        return self.mixture(latents["zs"])

    # --- Probability model --------------------------------------------------------------------

    def posterior(self, observations):
        """Distributions of the blocks given observations: a point for `zs`, a Gaussian for `zu`."""
        loc, log_variance = ops.split(self.zu_encoder(observations), 2, axis=-1)
        return {
            "zs": tfd.VectorDeterministic(self.zs_encoder(observations)),
            "zu": _diagonal_normal(loc, log_variance),
        }

    def prior(self, labels=None):
        """Distributions of the blocks, given labels `(batch,)` or over all classes."""
        zs = self.mixture.mixture() if labels is None else self.mixture.components(labels)
        zeros = ops.zeros((self.zu_dim,))
        return {"zs": zs, "zu": _diagonal_normal(zeros, zeros)}

    def likelihood(self, latents):
        """Distribution of observations given blocks: pixels with independent Gaussian noise."""
        return tfd.Independent(
            tfd.Normal(self.decode(latents), self.noise_scale), reinterpreted_batch_ndims=3
        )

    @property
    def noise_scale(self) -> float:
        """Scale of the pixel noise that the loss weights amount to, in units of the input.

        From `reconstruction_weight * mse + kl_weight * kl / zu_dim`, which is proportional to
        minus the evidence bound with noise variance
        `kl_weight * pixels / (2 * reconstruction_weight * zu_dim)`.
        """
        pixels = self.image_shape[0] * self.image_shape[1] * self.image_shape[2]
        return (self.kl_weight * pixels / (2 * self.reconstruction_weight * self.zu_dim)) ** 0.5

    def fitted_priors(self, latents, labels):
        """Priors of the blocks as arrays, refitted to codes after training.

        The learnt precision of the mixture is wider than the codes are spread, so each class gets
        the mean and the standard deviation of its codes; `zu` keeps its standard normal.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            labels: `(n,)` integers, their classes; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32, with `C` classes (or 1, where the class makes no difference) and `K` = 1.
        """
        codes = [latents["zs"][labels == label] for label in range(self.num_classes)]
        loc = np.stack([code.mean(axis=0) for code in codes])[:, None]
        scale = np.stack([code.std(axis=0) for code in codes])[:, None]
        weights = np.ones((self.num_classes, 1), np.float32)
        zeros = np.zeros((1, 1, self.zu_dim), np.float32)
        return {
            "zs": {"weights": weights, "loc": loc, "scale": scale},
            "zu": {"weights": weights[:1], "loc": zeros, "scale": np.ones_like(zeros)},
        }

    # --- Training -----------------------------------------------------------------------------

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; the terms of the evidence bound come first."""
        return {
            "class_loss": 1.0,
            "likelihood_loss": self.likelihood_weight,
            "reconstruction_loss": self.reconstruction_weight,
            "kl_zu": self.kl_weight / self.zu_dim,
            "code_loss": self.code_weight,
            "confusion_loss": self.adversary_weight,
            "adversary_loss": 1.0,
            "consistency_loss": self.consistency_weight,
        }

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of what every group of variables minimises.

        Stop-gradients route the terms. `mixture` learns from class and likelihood loss; the
        encoder of `zs` from these, from code loss and reconstruction; the encoder of `zu` from
        reconstruction, KL and confusion; the adversary from adversary loss alone; the decoder
        from reconstruction and consistency.
        """
        labels = ops.cast(y, "int32")
        terms = self._loss_terms(x, labels, y_pred)
        weighted = {name: weight * terms[name] for name, weight in self.loss_weights.items()}
        negative_elbo = sum(weighted[name] for name in EVIDENCE_TERMS)
        predicted = ops.cast(ops.argmax(self.mixture(y_pred["zs"]), axis=-1), "int32")
        accuracy = ops.mean(ops.cast(predicted == labels, "float32"))
        for name, value in {
            **terms,
            "negative_elbo": negative_elbo,
            "zs_accuracy": accuracy,
        }.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(x)[0])
        return replica_share(negative_elbo + sum(weighted[name] for name in SPLIT_TERMS))

    def _loss_terms(self, x, labels, y_pred):
        """Every term without its weight: nats, or squared units of the input per pixel."""
        mixture = self.mixture
        class_loss, likelihood_loss = mixture_losses(
            y_pred["zs"], labels, mixture.loc, mixture.precision, self.margin
        )
        _, code_loss = mixture_losses(y_pred["zs"], labels, *mixture.frozen())
        posterior = _diagonal_normal(y_pred["zu_loc"], y_pred["zu_log_variance"])
        confusion_loss, adversary_loss = adversary_losses(
            self.adversary, y_pred["zu"], labels, self.class_probabilities
        )
        return {
            "class_loss": class_loss,
            "likelihood_loss": likelihood_loss,
            "reconstruction_loss": ops.mean(ops.square(x - y_pred["reconstruction"])),
            "kl_zu": ops.mean(tfd.kl_divergence(posterior, self.prior()["zu"])),
            "code_loss": code_loss,
            "confusion_loss": confusion_loss,
            "adversary_loss": adversary_loss,
            "consistency_loss": self._consistency_loss(y_pred["zs"], labels),
        }

    def _consistency_loss(self, zs, labels):
        """Cross-entropy of the class read from variants; only the decoder learns from it."""
        if not self.consistency_weight:
            return ops.zeros(())
        zu = keras.random.normal((ops.shape(zs)[0], self.zu_dim), seed=self.noise)
        variants = self.decode({"zs": ops.stop_gradient(zs), "zu": zu})
        codes = call_frozen(self.zs_encoder, variants)
        class_loss, _ = mixture_losses(codes, labels, *self.mixture.frozen())
        return class_loss

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        zs = self.zs_encoder(observations, training=training)
        zu_loc, zu_log_variance = ops.split(self.zu_encoder(observations), 2, axis=-1)
        noise = keras.random.normal(ops.shape(zu_loc), seed=self.noise)
        zu = zu_loc + ops.exp(0.5 * zu_log_variance) * noise
        return {
            "zs": zs,
            "zu": zu,
            "zu_loc": zu_loc,
            "zu_log_variance": zu_log_variance,
            "reconstruction": self.decode({"zs": zs, "zu": zu}),
        }

    def get_config(self):
        parameters = inspect.signature(type(self).__init__).parameters
        names = [name for name in parameters if name not in ("self", "kwargs")]
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _diagonal_normal(loc, log_variance):
    return tfd.Independent(
        tfd.Normal(loc, ops.exp(0.5 * log_variance)), reinterpreted_batch_ndims=1
    )
