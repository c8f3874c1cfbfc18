"""The networks of zoo models: image encoders, image decoders, dense heads.

Convolutional encoders halve the image with strided convolutions until its longer side is at most
`base_side` pixels (8 by default); decoders mirror that with transposed convolutions. They need
sides of at least 16 pixels. Dense networks flatten their input and serve small images and vectors.
Every network ends in `output_activation`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import keras
from keras import layers, ops

from latentloom.model_zoo.networks.architecture import Architecture, num_stages
from latentloom.model_zoo.networks.sizes import MOST_LAYERS, check_weights

GROUPS = 8


def image_encoder(
    image_shape: Sequence[int],
    output_dim: int,
    architecture: Architecture,
    *,
    dropout: float = 0.0,
    name: str,
) -> keras.Sequential:
    """Builds a network that maps images or vectors to vectors.

    Args:
        image_shape: `(height, width, channels)` in pixels, or `(features,)` for dense networks.
        output_dim: Size of the output vector.
        architecture: Family and sizes of the network.
        dropout: Share of hidden units dropped in training, in `[0, 1)`.
        name: Name of the network.

    Returns:
        A built network, `(batch, *image_shape)` to `(batch, output_dim)`.

    Raises:
        ValueError: A size is out of range, or the network would be too large.
    """
    _check_sizes(name, image_shape, output_dim, architecture)
    stack: list = [keras.Input(tuple(image_shape))]
    if architecture.network == "conv":
        for stage in range(num_stages(image_shape, architecture.base_side)):
            stack += _halving(layers.Conv2D, architecture.width * 2**stage, architecture)
    stack += [layers.Flatten(), *_hidden(architecture.hidden_sizes, architecture)]
    if dropout:
        stack.append(layers.Dropout(dropout, seed=0))
    stack += [layers.Dense(output_dim), output_activation("linear")]
    return keras.Sequential(stack, name=name)


def image_decoder(
    input_dim: int,
    image_shape: Sequence[int],
    architecture: Architecture,
    *,
    rank: int = 0,
    colour_columns: Sequence[int] = (),
    ending: str | None = None,
    name: str,
) -> keras.Model:
    """Builds the mirror of `image_encoder`; it returns images in `(-1, 1)` or unbounded vectors.

    If the halvings do not divide a side, the image is decoded larger and cropped evenly.

    Args:
        input_dim: Size of the input vector.
        image_shape: `(height, width, channels)` in pixels, or `(features,)` for dense networks.
        architecture: Family and sizes of the encoder; the decoder reverses them.
        rank: Number of maps of the size of the image, from which the decoder mixes the image; see
            `mix_colours`. 0 to decode the channels directly.
        colour_columns: Positions in the input from which the colours are decoded; the maps are then
            decoded from the other positions. By default both use the whole input.
        ending: Name of the final activation; by default tanh for images and linear for vectors.
        name: Name of the network.

    Returns:
        A built network, `(batch, input_dim)` to `(batch, *image_shape)`.

    Raises:
        ValueError: The rank is negative or 1, or it is 0 and `colour_columns` are given; or a size
            is out of range, or the network would be too large.
    """
    _check_rank(rank, colour_columns)
    shape = (*image_shape[:-1], rank or image_shape[-1])
    _check_sizes(name, shape, input_dim, architecture)
    map_columns = [column for column in range(input_dim) if column not in set(colour_columns)]
    stack = [keras.Input((len(map_columns),)), *_image_layers(shape, architecture)]
    output = output_activation(ending or ("linear" if len(shape) == 1 else "tanh"))
    if not rank:
        return keras.Sequential([*stack, output], name=name)
    maps = keras.Sequential(stack, name="maps")
    colours = _colours(len(colour_columns) or input_dim, (rank, image_shape[-1]), architecture)
    code = keras.Input((input_dim,))
    parts = (code, code)
    if colour_columns:
        parts = tuple(ops.take(code, c, axis=-1) for c in (map_columns, list(colour_columns)))
    image = mix_colours(maps(parts[0]), colours(parts[1]))
    return keras.Model(code, output(image), name=name)


def _check_sizes(
    name: str, image_shape: Sequence[int], code_dim: int, architecture: Architecture
) -> None:
    """Rejects an encoder, or the decoder that mirrors it, before a layer is made."""
    hidden = architecture.hidden_sizes
    if len(hidden) > MOST_LAYERS:
        raise ValueError(
            f"The network '{name}' has too many layers. Expected: at most {MOST_LAYERS} sizes. "
            f"Received: hidden_dim with {len(hidden)}. Shorten `model.args.hidden_dim`."
        )
    flat, shapes = math.prod(image_shape), []
    if architecture.network == "conv":
        settings = (architecture.width, architecture.kernel_size, architecture.base_side)
        flat, shapes = convolution_shapes(image_shape, *settings)
    check_weights(name, *shapes, *pairwise([flat, *hidden, code_dim]))


def convolution_shapes(
    image_shape: Sequence[int], width: int, kernel_size: int, base_side: int
) -> tuple[int, list[tuple[int, ...]]]:
    """Returns the size of the last feature maps, flat, and the shape of every convolution.

    Raises:
        ValueError: There is no convolution, because the image is not larger than `base_side`.
    """
    stages = num_stages(image_shape, base_side)
    if not stages:
        raise ValueError(
            "Convolutions would not halve the image. Expected: `base_side` below its longer side. "
            f"Received: base_side={base_side}, image_shape={tuple(image_shape)}. Lower "
            "`model.args.base_side`, or set `model.args.network` to dense."
        )
    filters = [image_shape[2], *(width * 2**stage for stage in range(stages))]
    flat = math.prod(-(-side // 2**stages) for side in image_shape[:2]) * filters[-1]
    return flat, [(kernel_size, kernel_size, *pair) for pair in pairwise(filters)]


def _check_rank(rank: int, colour_columns: Sequence[int]) -> None:
    if rank < 0 or rank == 1:
        raise ValueError(
            "The rank of the decoder is out of range. Expected: 2 or more, or 0. Received: "
            f"rank={rank}. Set `model.args.rank` to 3, or to 0 for none."
        )
    if colour_columns and not rank:
        raise ValueError(
            "Colour blocks need a decoder that mixes colours. Expected: rank of 2 or more. "
            "Received: rank=0. Set `model.args.rank` to 3, or name no colour blocks."
        )


def _hidden(sizes: Sequence[int], architecture: Architecture) -> list:
    initializer = architecture.kernel_initializer
    return [layers.Dense(size, activation="relu", kernel_initializer=initializer) for size in sizes]


def _image_layers(shape: Sequence[int], architecture: Architecture) -> list:
    """Layers from a vector to `shape`, `(height, width, channels)` or `(features,)`."""
    stack = _hidden(architecture.hidden_sizes[::-1], architecture)
    if architecture.network == "dense":
        return [*stack, layers.Dense(math.prod(shape)), layers.Reshape(shape)]
    return stack + _doublings(shape, architecture)


def _colours(
    input_dim: int, shape: tuple[int, int], architecture: Architecture
) -> keras.Sequential:
    """Builds the network from codes to colours, of `shape` `(rank, channels)`."""
    first = architecture.hidden_sizes[-1:]
    stack = [*_hidden(first, architecture), layers.Dense(math.prod(shape))]
    return keras.Sequential(
        [keras.Input((input_dim,)), *stack, layers.Reshape(shape)], name="colours"
    )


def mix_colours(maps: keras.KerasTensor, colours: keras.KerasTensor) -> keras.KerasTensor:
    """Mixes a few colours into an image; maps give the share of each colour at each pixel.

    A pixel is the mean of the colours of its image, weighted by the softmax of the maps. So the
    decoder learns a shape once for all colours and a colour once for all shapes. After the bilinear
    models of Tenenbaum & Freeman, Neural Computation 2000, with networks for both parts. Deviates:
    the softmax saturates, so that a shape does not fade when its colours are new.

    Args:
        maps: `(batch, height, width, rank)`.
        colours: `(batch, rank, channels)`.

    Returns:
        `(batch, height, width, channels)`.
    """
    height, width, rank = maps.shape[1:]
    shares = layers.Softmax(axis=-1)(layers.Reshape((height * width, rank))(maps))
    return layers.Reshape((height, width, colours.shape[-1]))(ops.matmul(shares, colours))


def _doublings(shape: Sequence[int], architecture: Architecture) -> list:
    """Layers from a vector to `(height, width, channels)` by transposed convolutions."""
    height, width, channels = shape
    stages = num_stages(shape, architecture.base_side)
    base = (-(-height // 2**stages), -(-width // 2**stages))
    filters = architecture.width * 2 ** (stages - 1)
    stack: list = _hidden([base[0] * base[1] * filters], architecture)
    stack.append(layers.Reshape((*base, filters)))
    for stage in reversed(range(stages - 1)):
        stack += _halving(layers.Conv2DTranspose, architecture.width * 2**stage, architecture)
    kernel_size = architecture.kernel_size
    stack.append(layers.Conv2DTranspose(channels, kernel_size, strides=2, padding="same"))
    surplus = (base[0] * 2**stages - height, base[1] * 2**stages - width)
    if any(surplus):
        stack.append(layers.Cropping2D([(s // 2, s - s // 2) for s in surplus]))
    return stack


def _halving(kind: Callable[..., layers.Layer], filters: int, architecture: Architecture) -> list:
    """A convolution of stride 2 or its transpose, then normalisation if set, then ReLU."""
    convolution = kind(
        filters,
        architecture.kernel_size,
        strides=2,
        padding="same",
        kernel_initializer=architecture.kernel_initializer,
    )
    norm = [layers.GroupNormalization(math.gcd(filters, GROUPS))] if architecture.group_norm else []
    return [convolution, *norm, layers.Activation("relu")]


def classifier_head(input_dim: int, num_classes: int, *, hidden_dim: int, name: str):
    """Builds a network with one hidden layer from vectors to class logits."""
    check_weights(name, (input_dim, hidden_dim), (hidden_dim, num_classes))
    return keras.Sequential(
        [
            keras.Input((input_dim,)),
            layers.Dense(hidden_dim, activation="relu"),
            layers.Dense(num_classes),
            output_activation("linear"),
        ],
        name=name,
    )


def output_activation(name: str) -> layers.Activation:
    """Returns the last layer of a network, which casts to float32 for the losses."""
    return layers.Activation(name, dtype="float32")
