"""The hierarchically factorised variational auto-encoder.

Esmaeili et al., Structured Disentangled Representations, AISTATS 2019. The code has named blocks,
Gaussian or categorical. What keeps it near its prior is divided into parts, each with a weight: how
much it tells of the image, how far blocks are from independent, how far dimensions within a block
are, and how far each dimension is from its prior.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.backend.devices import replica_share
from latentloom.model_zoo.backend.probability import stateless_seed, tfd
from latentloom.model_zoo.hfvae.blocks import CategoricalBlock, make_blocks
from latentloom.model_zoo.hfvae.labels import label_batches
from latentloom.model_zoo.hfvae.likelihoods import LIKELIHOODS, resolve_likelihood
from latentloom.model_zoo.hfvae.losses import EVIDENCE_TERMS, loss_terms
from latentloom.model_zoo.hfvae.priors import fit_priors
from latentloom.model_zoo.hfvae.settings import check_arguments
from latentloom.model_zoo.hfvae.topics import topic_weights
from latentloom.model_zoo.networks.architecture import Architecture, resolve_network
from latentloom.model_zoo.networks.class_density import ClassDensity
from latentloom.model_zoo.networks.encoder_decoder import image_encoder
from latentloom.model_zoo.training.batches import Batches, Factors, labels_of

INITIALIZER = "he_normal"
"""Of layers that a ReLU follows. Keras' own lets them halve the signal, one after the other: after
1,750 steps on MNIST a categorical block told 0.6 nats in place of 1.1, and images were decoded with
7 % more error."""
NETWORK_SIZES = ("network", "width", "hidden_dim", "kernel_size", "base_side")


@keras.saving.register_keras_serializable(package="latentloom")
class HFVAE(keras.Model):
    """Auto-encoder with named blocks, made independent of one another and within themselves.

    A categorical block may be tied to the label: then that block carries it, learnt from a share of
    the labels. Without such a block labels reach no network; they choose, after training, the
    density that each class is drawn from.

    With all four weights of the divergence at 1 it is a VAE, with all at `b` a beta-VAE, and with
    one block and `within_weight` alone above 1 a beta-TCVAE.

    Reference:
        Esmaeili et al., AISTATS 2019, https://arxiv.org/abs/1804.02086. Deviates: terms of
        categorical blocks are exact sums over their values; the posterior of every block depends
        on the image alone; log variances are bounded; `dimension_wise_weight`.

    Args:
        image_shape: `(height, width, channels)` in pixels, `(features,)` of a vector, or `(words,)`
            of a bag of words.
        num_classes: Integer, number of classes.
        blocks: The blocks by name, in order: `{"dim": n}` of a Gaussian one, `{"values": K}` of a
            categorical one, or `{"factor": "label"}` of the one that is tied to the label.
        mutual_information_weight: Float, weight of what the code tells of the image.
        between_weight: Float, weight of the total correlation of the blocks. Large, with a roomy
            Gaussian block, it empties a categorical one that is not tied to the label: what this
            tells, the other tells, too.
        within_weight: Float, weight of the total correlation of the dimensions of each block.
        dimension_wise_weight: Float, weight of the divergence of each dimension from its prior;
            1 in the paper.
        label_share: Float above 0, at most 1, share of the examples whose label is learnt from.
        label_weight: Float, weight of the cross-entropy of these labels, in nats beside the
            reconstruction loss of an image.
        temperature: Float, of the relaxed categorical codes that the decoder learns from.
        max_joint_classes: Integer, most combinations of values of categorical blocks that terms of
            all blocks sum over. Blocks beyond them enter these terms with a drawn value, which has
            no gradient there.
        likelihood: `"bernoulli"`, `"gaussian"`, `"multinomial"` (for bags of words, and no others)
            or `"auto"` (Gaussian for vectors); see `model_zoo.hfvae.likelihoods`. A multinomial one
            adds the block `length`, the log of the number of words.
        topic_model: `"nvdm"` or `"prodlda"`, how words are decoded; see `model_zoo.hfvae.topics`.
        noise_variance: Float, variance of the noise of the Gaussian likelihood, in squared units of
            the input.
        num_components: Integer, components of the mixture of each class, without a block for it.
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        width: Integer, channels of the outermost convolution.
        hidden_dim: Integer, size of the hidden dense layers, or a list of all their sizes; see
            `model_zoo.networks.encoder_decoder.image_encoder`.
        kernel_size: Integer, side of the kernels of convolutions, in pixels.
        base_side: Integer, longest side at which no further convolution halves the image.
        observation: Kind of observation, a key of `model_zoo.scaling.SCALINGS`, or `None` for
            images or vectors by their shape.
        num_examples: Integer, number of training examples, or `None` for that of each batch. One
            below that of a batch counts as the batch's.
        seed: Integer, seed of the codes that are drawn, and of the choice of labels.

    Input shape:
        Observations in `[-1, 1]`, or counts of words, `(batch, *image_shape)`.

    Output shape:
        A dictionary. Of a block `z`, `z` is a code drawn for training, `(batch, dim)`, and its
        posterior `z/loc` and `z/log_variance` or, of a categorical one, `z/log_probabilities`.
    """

    value_range = (-1.0, 1.0)
    monitor = "val_negative_elbo"
    """Its estimate does not depend on the size of a batch, as those of its terms do."""

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int,
        *,
        blocks: Mapping[str, Mapping[str, Any]] | None = None,
        mutual_information_weight: float = 1.0,
        between_weight: float = 4.0,
        within_weight: float = 3.0,
        dimension_wise_weight: float = 1.0,
        label_share: float = 1.0,
        label_weight: float = 10.0,
        temperature: float = 0.66,
        max_joint_classes: int = 256,
        likelihood: str = "auto",
        topic_model: str = "nvdm",
        noise_variance: float = 0.1,
        num_components: int = 5,
        network: str = "auto",
        width: int = 32,
        hidden_dim: int | Sequence[int] = 256,
        kernel_size: int = 4,
        base_side: int = 8,
        observation: str | None = None,
        num_examples: int | None = None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_shape = tuple(int(side) for side in image_shape)
        self.num_classes, self.num_examples, self.seed = num_classes, num_examples, seed
        self.blocks = {"z": {"dim": 10}} if blocks is None else blocks
        self.mutual_information_weight = mutual_information_weight
        self.between_weight, self.within_weight = between_weight, within_weight
        self.dimension_wise_weight = dimension_wise_weight
        self.label_share, self.label_weight = label_share, label_weight
        self.temperature, self.max_joint_classes = temperature, max_joint_classes
        self.observation, self.topic_model = observation, topic_model
        self.likelihood_name = resolve_likelihood(likelihood, self.image_shape, observation)
        self.noise_variance, self.num_components = noise_variance, num_components
        self.network = resolve_network(network, self.image_shape)
        self.width, self.kernel_size, self.base_side = width, kernel_size, base_side
        self.hidden_dim = hidden_dim if isinstance(hidden_dim, int) else list(hidden_dim)
        check_arguments(self)

        self.parts = make_blocks(self.blocks, num_classes, temperature, max_joint_classes)
        tied = [b for b in self.parts if isinstance(b, CategoricalBlock) and b.factor]
        self.label_block = tied[0] if tied else None
        self.observed = LIKELIHOODS[self.likelihood_name](self)
        self._build_networks()
        self.noise = keras.random.SeedGenerator(seed)
        figures = (*self.loss_weights, "negative_elbo", "objective")
        figures += ("label_accuracy",) if self.label_block else ()
        self.trackers = {name: keras.metrics.Mean(name=name) for name in figures}
        self.built = True

    def _build_networks(self) -> None:
        sizes = {name: getattr(self, name) for name in NETWORK_SIZES}
        sizes = Architecture(**sizes, kernel_initializer=INITIALIZER)
        encoder_dim = sum(block.encoder_dim for block in self.parts)
        self.encoder = image_encoder(self.image_shape, encoder_dim, sizes, name="encoder")
        self.decoder = self.observed.decoder(sum(block.dim for block in self.parts), sizes)
        self.densities: dict[str, Any] = {}
        if not self.label_block:
            for block in self.parts:
                held = block.class_density(self.num_classes, self.num_components)
                self.densities[block.name] = held
            for name, dim in self.observed.measured_blocks.items():
                self.densities[name] = ClassDensity(self.num_classes, 1, dim)

    # --- Contract -----------------------------------------------------------------------------

    @property
    def latent_spec(self) -> dict[str, dict]:
        """Blocks in order; without one that is tied to the label, every one may tell it."""
        factors = {block.name: block.factor for block in self.parts}
        dims = {block.name: block.dim for block in self.parts} | self.observed.measured_blocks
        return {
            name: {
                "dim": dim,
                "factors": ["label"] if factors.get(name) or not self.label_block else [],
            }
            for name, dim in dims.items()
        }

    def encode(self, observations):
        """Encodes to the mean of every Gaussian block and the probabilities of every other."""
        moments = self.moments(observations)
        code = {block.name: block.point(moments) for block in self.parts}
        return code | self.observed.measure(observations)

    def decode(self, latents):
        """Decodes to the mean of the likelihood, `(batch, *image_shape)`."""
        return self.observed.mean(self.decoder(self.join(latents), training=False), latents)

    def class_scores(self, latents):
        """Log probability of the label, or log density of the code in every class, fitted.

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
        """Distributions of the blocks given observations: Gaussian, of one-hot codes, or points."""
        moments, measured = self.moments(observations), self.observed.measure(observations)
        learnt = {block.name: block.posterior(moments) for block in self.parts}
        return learnt | {name: tfd.VectorDeterministic(code) for name, code in measured.items()}

    def prior(self):
        """Distributions of the learnt blocks: standard normal, or of one-hot codes, each as likely.

        Blocks that are measured have a prior after training alone; see `fitted_priors`.
        """
        return {block.name: block.prior() for block in self.parts}

    def likelihood(self, latents):
        """Distribution of observations given the blocks; see `model_zoo.hfvae.likelihoods`."""
        return self.observed.distribution(self.decoder(self.join(latents), training=False), latents)

    def evidence_bound(self, observations, seed):
        """Bound on the log probability of every observation, from one code of its posterior.

        Args:
            observations: `(batch, *image_shape)`.
            seed: Integers `(2,)` of the draw.

        Returns:
            `(batch,)` in nats, lower bounds in expectation; of bags of words that of the words in
            their order, given how many.
        """
        posterior, prior = self.posterior(observations), self.prior()
        codes = {
            name: posterior[name].sample(seed=stateless_seed(seed + ops.array([place, 0], "int32")))
            for place, name in enumerate(prior)
        }
        divergence = sum(tfd.kl_divergence(posterior[name], prior[name]) for name in prior)
        decoded = self.decoder(self.join(codes), training=False)
        return -self.observed.reconstruction_loss(observations, decoded) - divergence

    def topic_weights(self):
        """How much each dimension of the learnt blocks favours each word, `(dim, words)`, or `None`
        for observations without words; see `model_zoo.hfvae.topics`.
        """
        return topic_weights(self.decoder) if self.likelihood_name == "multinomial" else None

    def fitted_priors(self, latents, factors):
        """Priors of the blocks as arrays, after training.

        With a block for the label this has one value a class, and the others the prior of the
        model. Without one, each Gaussian block gets a mixture fitted to the codes of every class,
        each categorical one the weights that its values have there; `class_scores` uses them from
        then on. A measured block gets one Gaussian, or without a block for the label one a class.

        Args:
            latents: One `(n, dim)` array a block, codes of training examples.
            factors: Their factors, of which the label counts; every class at least once.

        Returns:
            `{block: {"weights": (C, K), "loc": (C, K, dim), "scale": (C, K, dim)}}`, arrays of
            float32, with `C` classes, or 1 where the class makes no difference. The components of
            categorical blocks are one-hot codes with a scale of 0.
        """
        return fit_priors(self, latents, factors)

    # --- Training -----------------------------------------------------------------------------

    def sampler(self, images: np.ndarray, factors: Factors) -> Callable[..., Batches]:
        """What makes batches of these and of validation examples, by one rule."""
        if self.label_block:
            return label_batches(self.label_share, self.seed)
        return lambda images, factors, **settings: Batches(images, labels_of(factors), **settings)

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of every term of the loss; see `model_zoo.hfvae.losses`."""
        weights = {
            "reconstruction_loss": 1.0,
            "mutual_information": self.mutual_information_weight,
            "between_blocks": self.between_weight,
            "within_blocks": self.within_weight,
            "dimension_wise": self.dimension_wise_weight,
        }
        return weights | ({"label_loss": self.label_weight} if self.label_block else {})

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms; `y` is that of `LabelBatches` if the label has a block."""
        terms = loss_terms(self, x, y, y_pred, training)
        objective = sum(weight * terms[name] for name, weight in self.loss_weights.items())
        negative_elbo = sum(terms[name] for name in EVIDENCE_TERMS)
        figures = {**terms, "negative_elbo": negative_elbo, "objective": objective}
        for name, value in figures.items():
            self.trackers[name].update_state(value, sample_weight=ops.shape(x)[0])
        return replica_share(objective)

    # --- Keras --------------------------------------------------------------------------------

    def call(self, observations, training=False):
        moments = self.moments(observations, training)
        return moments | {block.name: block.draw(moments, self.noise) for block in self.parts}

    def moments(self, observations, training: bool = False) -> dict:
        """The posteriors of all blocks, as `call` returns them."""
        encoded = self.encoder(self.observed.encoder_input(observations), training=training)
        moments, begin = {}, 0
        for block in self.parts:
            moments |= block.moments(encoded[..., begin : begin + block.encoder_dim])
            begin += block.encoder_dim
        return moments

    def join(self, latents):
        """All blocks side by side, as the decoder reads them."""
        return ops.concatenate([latents[block.name] for block in self.parts], axis=-1)

    def get_config(self):
        parameters = inspect.signature(type(self).__init__).parameters
        names = [name for name in parameters if name not in ("self", "kwargs", "likelihood")]
        values = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **values, "likelihood": self.likelihood_name}
