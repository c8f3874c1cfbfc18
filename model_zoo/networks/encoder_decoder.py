"""The networks that zoo models are made of: image encoders, image decoders, dense heads.

Convolutional networks halve the image with strided convolutions until a side is at most 8
pixels and mirror that with transposed convolutions; they need sides of at least 16. Dense
networks flatten the image and serve small ones, and vectors. Every network ends in
`output_activation`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import keras
from keras import layers, ops

from latentloom.model_zoo.networks.architecture import Architecture, num_stages

GROUPS = 8


def image_encoder(
    image_shape: Sequence[int],
    output_dim: int,
    architecture: Architecture,
    *,
    dropout: float = 0.0,
    name: str,
) -> keras.Sequential:
    """Builds a network from images, or from vectors, to vectors.

    Args:
        image_shape: `(height, width, channels)` in pixels, or `(features,)` for dense networks.
        output_dim: Size of the output vector.
        architecture: Family and sizes of the network.
        dropout: Share of hidden units dropped in training, in `[0, 1)`.
        name: Name of the network.

    Returns:
        A built network, `(batch, *image_shape)` to `(batch, output_dim)`.
    """
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
    """Builds the mirror of `image_encoder`, to images in `(-1, 1)` or to unbounded vectors.

    A side that is not a multiple of its halvings is decoded a little larger and cropped evenly.

    Args:
        input_dim: Size of the input vector.
        image_shape: `(height, width, channels)` in pixels, or `(features,)` for dense networks.
        architecture: Family and sizes of the encoder, which the decoder has in reverse.
        rank: Number of maps, of the size of the image, that the network decodes in place of the
            channels; see `mix_colours`. 0 for the channels.
        colour_columns: Positions in the input that the colours alone are decoded from, and the maps
            from all others. Both from the whole input by default.
        ending: Name of the activation that ends the network; by default tanh for images and none
            for vectors.
        name: Name of the network.

    Returns:
        A built network, `(batch, input_dim)` to `(batch, *image_shape)`.

    Raises:
        ValueError: The rank is negative or 1, or 0 where there are columns of the colours.
    """
    _check_rank(rank, colour_columns)
    map_columns = [column for column in range(input_dim) if column not in set(colour_columns)]
    shape = (*image_shape[:-1], rank or image_shape[-1])
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


def _check_rank(rank: int, colour_columns: Sequence[int]) -> None:
    if rank < 0 or rank == 1:
        raise ValueError(
            "A decoder cannot mix so many maps. Expected: rank of 2 or more, or 0. Received: "
            f"rank={rank}. Set `model.args.rank` to 3, or to 0 for none."
        )
    if colour_columns and not rank:
        raise ValueError(
            "Without maps there are no colours to decode from a part of the code. Expected: rank "
            "of 2 or more. Received: rank=0. Set `model.args.rank` to 3, or name no colour blocks."
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
    """A network to so many colours of so many channels."""
    first = architecture.hidden_sizes[-1:]
    stack = [*_hidden(first, architecture), layers.Dense(math.prod(shape))]
    return keras.Sequential(
        [keras.Input((input_dim,)), *stack, layers.Reshape(shape)], name="colours"
    )


def mix_colours(maps: keras.KerasTensor, colours: keras.KerasTensor) -> keras.KerasTensor:
    """Mixes a few colours to an image, by maps that say how much of each is where.

    A pixel is the mean of the colours of its image, weighted by the softmax of the maps there: a
    shape is learnt once for all colours, and a colour for all shapes. After the bilinear models of
    Tenenbaum & Freeman, Neural Computation 2000, with networks for both parts. The shares are
    ours: they saturate, so that a shape is not fainter where its colours are new.

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
    """A convolution of stride 2, or its transpose, with what follows it."""
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
    """Ends a network: whatever precision its layers compute in, losses see float32."""
    return layers.Activation(name, dtype="float32")
