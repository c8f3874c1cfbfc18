"""The likelihoods: distributions of an observation given the decoder's output, one class each.

A likelihood holds all that depends on the kind of observation: the input of the encoder, the
decoder network, the reconstruction loss, the decoded observation, and the blocks that are measured,
not learnt. To add one, write a class with the members of `Likelihood` and enter it in
`LIKELIHOODS`; the settings reject it for observations that it does not fit.
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
"""Range of the scaled pixels."""
LENGTH = "length"
"""Name of the block that holds the log of a document's number of words."""
_LONGEST = math.log(1e6)


class LikelihoodSettings(Protocol):
    """The model settings that likelihoods use; `HFVAESettings` has them."""

    @property
    def noise_variance(self) -> float: ...

    @property
    def topic_model(self) -> str: ...


class Likelihood(Protocol):
    """Distribution of observations given the decoder's output.

    Made from the shape of the observations and from settings. `decoded` is the float32 output of
    the network that `decoder` returns.
    """

    measured_blocks: Mapping[str, int]
    """Sizes, by name, of blocks that are computed from observations; no network reads them."""

    def __init__(self, observation_shape: tuple[int, ...], settings: LikelihoodSettings): ...

    def encoder_input(self, observations: Any) -> Any:
        """Maps observations to the input of the encoder, both `(batch, *observation_shape)`."""
        ...

    def decoder(self, input_dim: int, architecture: Architecture) -> keras.Model:
        """Builds the network that decodes codes `(batch, input_dim)`, all blocks side by side."""
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
            decoded: Output of the decoder.
            latents: The code, of which only the measured blocks are used.
        """
        ...

    def distribution(self, decoded: Any, latents: Mapping[str, Any]) -> tfd.Distribution:
        """The likelihood as TFP."""
        ...


class _Unmeasured:
    """The part of a likelihood without measured blocks."""

    measured_blocks: ClassVar[Mapping[str, int]] = {}

    def measure(self, observations):
        """Returns no blocks."""
        return {}


class Bernoulli(_Unmeasured):
    """Pixels in `[0, 1]` as probabilities of white; the decoder returns logits.

    Grey levels are soft targets: the loss is the cross-entropy, which is at least their entropy.
    """

    def __init__(self, observation_shape, settings):
        self.observation_shape = observation_shape

    def encoder_input(self, observations):
        """The observations themselves."""
        return observations

    def decoder(self, input_dim, architecture):
        """The mirror of the encoder, without a final activation."""
        return image_decoder(
            input_dim, self.observation_shape, architecture, ending="linear", name="decoder"
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
        """Distribution of pixels that are 0 or 1, not in the range of the model."""
        pixels = tfd.Bernoulli(logits=decoded, dtype="float32")
        return tfd.Independent(pixels, reinterpreted_batch_ndims=len(self.observation_shape))


class Gaussian(_Unmeasured):
    """Observations with independent Gaussian noise of one variance; the decoder returns means."""

    def __init__(self, observation_shape, settings):
        self.observation_shape, self.variance = observation_shape, settings.noise_variance

    def encoder_input(self, observations):
        """The observations themselves."""
        return observations

    def decoder(self, input_dim, architecture):
        """The mirror of the encoder."""
        return image_decoder(input_dim, self.observation_shape, architecture, name="decoder")

    def reconstruction_loss(self, observations, decoded):
        """Minus the log density, summed over pixels or features."""
        squares = ops.square(observations - decoded) / self.variance
        return 0.5 * _sum_over_event(squares + math.log(2.0 * math.pi * self.variance))

    def mean(self, decoded, latents):
        """The output of the decoder."""
        return decoded

    def distribution(self, decoded, latents):
        """Distribution of observations in the range of the model."""
        normal = tfd.Normal(decoded, self.variance**0.5)
        return tfd.Independent(normal, reinterpreted_batch_ndims=len(self.observation_shape))


class Multinomial:
    """Counts of words, drawn independently of one another; the decoder returns logits.

    Each word of a document is drawn from `p(word | z)`. The number of words is not learnt: it is
    measured and kept as a separate block, so that a decoded document has a length. The loss omits
    the multinomial coefficient, which does not depend on the networks.
    """

    measured_blocks = {LENGTH: 1}

    def __init__(self, observation_shape, settings):
        (self.num_words,), self.topic_model = observation_shape, settings.topic_model

    def encoder_input(self, observations):
        """Returns `log(1 + count)`, so that long documents do not outweigh the others."""
        return ops.log1p(observations)

    def decoder(self, input_dim, architecture):
        """The topic model; `architecture` is unused."""
        return TOPIC_MODELS[self.topic_model](input_dim, self.num_words)

    def reconstruction_loss(self, observations, decoded):
        """Minus the log probability of the words, summed over the document."""
        return -ops.sum(observations * ops.log_softmax(decoded), axis=-1)

    def measure(self, observations):
        """The log of the number of words, `(batch, 1)`."""
        total = ops.sum(observations, axis=-1, keepdims=True)
        return {LENGTH: ops.log(ops.maximum(total, 1.0))}

    def mean(self, decoded, latents):
        """Expected counts, which sum to the length of the document, at most a million."""
        return self._total(latents) * ops.softmax(decoded)

    def distribution(self, decoded, latents):
        """Distribution of the counts of all words."""
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
    likelihood: str, observation_shape: tuple[int, ...], observation: str | None
) -> str:
    """Resolves `"auto"`: Bernoulli for images, Gaussian for vectors, multinomial for counts."""
    if likelihood == "auto":
        if observation == Counts.kind:
            return "multinomial"
        return "bernoulli" if len(observation_shape) == 3 else "gaussian"
    return likelihood


def _sum_over_event(values):
    """Sum over all but the first axis, `(batch,)`."""
    return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=-1)
