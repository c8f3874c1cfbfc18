"""Bags of words: the likelihood of counts, by two decoders whose weights can be read as topics.

A document is a bag of so many words, each drawn from `p(word | z)`. How many is no matter of the
code: it is measured on the document and kept as a block of its own, so that a decoded document has
a length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
from keras import layers, ops

from latentloom.model_zoo.backend.probability import tfd
from latentloom.model_zoo.networks.encoder_decoder import output_activation

if TYPE_CHECKING:
    from latentloom.model_zoo.hfvae.hfvae import HFVAE

LENGTH = "length"
"""Name of the block with the log of a document's number of words."""
_LONGEST = math.log(1e6)
_TOPICS = "topics"


class Multinomial:
    """Counts of words, drawn independently of one another; the decoder gives logits.

    The loss leaves out the number of orders of the words, which no network can change.
    """

    measured_blocks = {LENGTH: 1}

    def __init__(self, model: HFVAE):
        self.num_words, self.topic_model = model.image_shape[0], model.topic_model

    def encoder_input(self, observations):
        """The logarithm of 1 + count, so that long documents do not drown the others."""
        return ops.log1p(observations)

    def decoder(self, input_dim, sizes):
        """The topic model; `sizes` are those of other networks."""
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


def nvdm_decoder(input_dim: int, num_words: int) -> keras.Model:
    """Builds a linear map to logits: every dimension of the code favours some words.

    Reference:
        Miao et al., Neural Variational Inference for Text Processing, ICML 2016,
        https://arxiv.org/abs/1511.06038, Eq. 4.
    """
    stack = [keras.Input((input_dim,)), layers.Dense(num_words, name=_TOPICS)]
    return keras.Sequential([*stack, output_activation("linear")], name="decoder")


def prodlda_decoder(input_dim: int, num_words: int) -> keras.Model:
    """Builds a product of experts: shares of topics, the softmax of the code, mix their logits.

    Batch normalisation of the logits keeps topics from all becoming the same.

    Reference:
        Srivastava & Sutton, Autoencoding Variational Inference for Topic Models, ICLR 2017,
        https://arxiv.org/abs/1703.01488. A standard normal prior of the code is their Laplace
        approximation of a flat Dirichlet prior, but for 1 / input_dim of its variance. Deviates:
        shares are not dropped out.
    """
    stack = [
        keras.Input((input_dim,)),
        layers.Softmax(),
        layers.Dense(num_words, use_bias=False, name=_TOPICS),
        layers.BatchNormalization(scale=False, momentum=0.9),
    ]
    return keras.Sequential([*stack, output_activation("linear")], name="decoder")


TOPIC_MODELS: dict[str, Callable[[int, int], keras.Model]] = {
    "nvdm": nvdm_decoder,
    "prodlda": prodlda_decoder,
}


def topic_weights(decoder: keras.Model):
    """How much each dimension of the code favours each word, `(input_dim, words)`."""
    return decoder.get_layer(_TOPICS).kernel
