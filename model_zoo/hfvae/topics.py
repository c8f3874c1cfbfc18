"""Two decoders of bags of words with weights that are topics."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from latentloom.model_zoo.networks.encoder_decoder import output_activation
from latentloom.model_zoo.networks.sizes import check_weights

_TOPICS = "topics"


def nvdm_decoder(input_dim: int, num_words: int) -> keras.Model:
    """Builds a linear map from codes to the logits of words.

    Reference:
        Miao et al., Neural Variational Inference for Text Processing, ICML 2016,
        https://arxiv.org/abs/1511.06038, Eq. 4.
    """
    check_weights("decoder", (input_dim, num_words))
    stack = [keras.Input((input_dim,)), layers.Dense(num_words, name=_TOPICS)]
    return keras.Sequential([*stack, output_activation("linear")], name="decoder")


def prodlda_decoder(input_dim: int, num_words: int) -> keras.Model:
    """Builds a product of experts: the softmax of the code gives topic shares, which mix logits.

    Batch normalisation of the logits prevents all topics from becoming equal.

    Reference:
        Srivastava & Sutton, Autoencoding Variational Inference for Topic Models, ICLR 2017,
        https://arxiv.org/abs/1703.01488. A standard normal prior of the code is their Laplace
        approximation of a flat Dirichlet prior, up to 1 / input_dim of its variance. Deviates:
        no dropout on the shares.
    """
    check_weights("decoder", (input_dim, num_words))
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
    """Weight of each word in each dimension of the code, `(input_dim, words)`."""
    return decoder.get_layer(_TOPICS).kernel
