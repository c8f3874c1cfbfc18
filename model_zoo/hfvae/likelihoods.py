"""What the decoder's output says of an observation: one class for each kind of likelihood.

The model asks its likelihood these things, and nothing else that depends on the kind of
observation: what the encoder reads, which network decodes, how far an observation is from what was
decoded, which observation that is, and what of an observation is measured and not learnt. A further
kind is a class with the members of `Likelihood` and its entry in `LIKELIHOODS`; the
settings reject it where it does not fit the observations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import keras
from keras import ops

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.hfvae.topics import TOPIC_MODELS
from latentloom.model_zoo.networks.architecture import Architecture
from latentloom.model_zoo.networks.encoder_decoder import image_decoder
from latentloom.model_zoo.scaling import Counts

VALUE_RANGE = (-1.0, 1.0)
"""Range of the pixels that the model sees."""
LENGTH = "length"
"""Name of the block with the log of a document's number of words."""
_LONGEST = math.log(1e6)


class LikelihoodSettings(Protocol):
    """The settings of the model that some likelihoods read; `HFVAESettings` has them."""

    @property
    def noise_variance(self) -> float: ...

    @property
    def topic_model(self) -> str: ...


class Likelihood(Protocol):
    """Distribution of observations given what the decoder makes of a code.

    Made from the shape of observations and from settings, of which it takes what it needs.
    `decoded` is what the network of `decoder` returns, float32.
    """

    measured_blocks: Mapping[str, int]
    """Sizes of blocks, by name, that are measured on observations: no network reads them."""

    def __init__(self, image_shape: tuple[int, ...], settings: LikelihoodSettings): ...

    def encoder_input(self, observations: Any) -> Any:
        """What the encoder reads of observations, `(batch, *image_shape)` both."""
        ...

    def decoder(self, input_dim: int, architecture: Architecture) -> keras.Model:
        """A built network from codes, all blocks side by side, `(batch, input_dim)`."""
        ...

    def reconstruction_loss(self, observations: Any, decoded: Any) -> Any:
        """Minus the log likelihood of every observation, `(batch,)` in nats."""
        ...

    def measure(self, observations: Any) -> Mapping[str, Any]:
        """The measured blocks of every observation, `(batch, size)` each."""
        ...

    def mean(self, decoded: Any, latents: Mapping[str, Any]) -> Any:
        """Mean of the likelihood as an observation in the range of the model.

        Args:
            decoded: What was decoded.
            latents: The code, whose measured blocks count.
        """
        ...

    def distribution(self, decoded: Any, latents: Mapping[str, Any]) -> tfd.Distribution:
        """The likelihood as TFP."""
        ...


class _Unmeasured:
    """What likelihoods without measured blocks say of these."""

    measured_blocks: ClassVar[Mapping[str, int]] = {}

    def measure(self, observations):
        """Nothing."""
        return {}


class Bernoulli(_Unmeasured):
    """Pixels in `[0, 1]` as probabilities of white; the decoder gives logits.

    Grey levels are soft targets: the loss is the cross-entropy, which is at least their entropy.
    """

    def __init__(self, image_shape, settings):
        self.image_shape = image_shape

    def encoder_input(self, observations):
        """The observations themselves."""
        return observations

    def decoder(self, input_dim, architecture):
        """The mirror of the encoder, which ends in logits."""
        return image_decoder(
            input_dim, self.image_shape, architecture, ending="linear", name="decoder"
        )

    def reconstruction_loss(self, observations, decoded):
        """Cross-entropy, summed over pixels."""
        low, high = VALUE_RANGE
        targets = (observations - low) / (high - low)
        return _sum_over_event(ops.softplus(decoded) - targets * decoded)

    def mean(self, decoded, latents):
        """Probabilities, mapped to the range of the model."""
        low, high = VALUE_RANGE
        return low + (high - low) * ops.sigmoid(decoded)

    def distribution(self, decoded, latents):
        """Of pixels that are 0 or 1, not in the range of the model."""
        pixels = tfd.Bernoulli(logits=decoded, dtype="float32")
        return tfd.Independent(pixels, reinterpreted_batch_ndims=len(self.image_shape))


class Gaussian(_Unmeasured):
    """Observations with independent Gaussian noise of one variance; the decoder gives means."""

    def __init__(self, image_shape, settings):
        self.image_shape, self.variance = image_shape, settings.noise_variance

    def encoder_input(self, observations):
        """The observations themselves."""
        return observations

    def decoder(self, input_dim, architecture):
        """The mirror of the encoder."""
        return image_decoder(input_dim, self.image_shape, architecture, name="decoder")

    def reconstruction_loss(self, observations, decoded):
        """Minus the log density, summed over pixels or features."""
        squares = ops.square(observations - decoded) / self.variance
        return 0.5 * _sum_over_event(squares + math.log(2.0 * math.pi * self.variance))

    def mean(self, decoded, latents):
        """What was decoded."""
        return decoded

    def distribution(self, decoded, latents):
        """Of observations in the range of the model."""
        normal = tfd.Normal(decoded, self.variance**0.5)
        return tfd.Independent(normal, reinterpreted_batch_ndims=len(self.image_shape))


class Multinomial:
    """Counts of words, drawn independently of one another; the decoder gives logits.

    A document is a bag of so many words, each drawn from `p(word | z)`. How many is no matter of
    the code: it is measured on the document and kept as a block of its own, so that a decoded
    document has a length. The loss leaves out the number of orders of the words, which no network
    can change.
    """

    measured_blocks = {LENGTH: 1}

    def __init__(self, image_shape, settings):
        (self.num_words,), self.topic_model = image_shape, settings.topic_model

    def encoder_input(self, observations):
        """The logarithm of 1 + count, so that long documents do not drown the others."""
        return ops.log1p(observations)

    def decoder(self, input_dim, architecture):
        """The topic model; the architecture is that of other networks."""
        return TOPIC_MODELS[self.topic_model](input_dim, self.num_words)

    def reconstruction_loss(self, observations, decoded):
        """Minus the log probability of the words, summed over the document."""
        return -ops.sum(observations * ops.log_softmax(decoded), axis=-1)

    def measure(self, observations):
        """The log of the number of words, `(batch, 1)`."""
        total = ops.sum(observations, axis=-1, keepdims=True)
        return {LENGTH: ops.log(ops.maximum(total, 1.0))}

    def mean(self, decoded, latents):
        """Expected counts: as many words as the document is long, at most a million."""
        return self._total(latents) * ops.softmax(decoded)

    def distribution(self, decoded, latents):
        """Of counts of all words."""
        total = ops.round(ops.squeeze(self._total(latents), -1))
        return tfd.Multinomial(total_count=total, logits=decoded)

    def _total(self, latents):
        return ops.exp(ops.clip(latents[LENGTH], 0.0, _LONGEST))


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "multinomial": Multinomial,
}


def resolve_likelihood(
    likelihood: str, image_shape: tuple[int, ...], observation: str | None
) -> str:
    """Names the likelihood: `"auto"` is Bernoulli for images, Gaussian for vectors and multinomial
    for bags of words.
    """
    if likelihood == "auto":
        if observation == Counts.kind:
            return "multinomial"
        return "bernoulli" if len(image_shape) == 3 else "gaussian"
    return likelihood


def _sum_over_event(values):
    """Sum over all but the first axis, `(batch,)`."""
    return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=-1)
