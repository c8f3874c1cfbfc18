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

SMALLEST_CONVOLUTIONAL_SIDE = 16
LARGEST_BASE_SIDE = 8
GROUPS = 8
INITIALIZER = "glorot_uniform"


def resolve_network(network: str, image_shape: Sequence[int]) -> str:
    """Names the family of networks for an image shape.

    Args:
        network: `"conv"`, `"dense"` or `"auto"` (conv from 16 pixels up).
        image_shape: `(height, width, channels)` in pixels, or `(features,)` of a vector.

    Returns:
        `"conv"` or `"dense"`.

    Raises:
        ValueError: The name is unknown, or the image is too small for convolutions, as is a vector.
    """
    if network not in ("auto", "conv", "dense"):
        raise ValueError(
            "The family of networks is unknown. Expected: one of auto, conv, dense. "
            f"Received: network={network!r}. Set `model.args.network` to one of these."
        )
    smallest = min(image_shape[:2]) if len(image_shape) == 3 else 1
    if network == "conv" and smallest < SMALLEST_CONVOLUTIONAL_SIDE:
        raise ValueError(
            "The image is too small for convolutional networks. "
            f"Expected: sides of at least {SMALLEST_CONVOLUTIONAL_SIDE} pixels. "
            f"Received: image_shape={tuple(image_shape)}. Set `model.args.network` to dense."
        )
    if network == "auto":
        return "conv" if smallest >= SMALLEST_CONVOLUTIONAL_SIDE else "dense"
    return network


def num_stages(image_shape: Sequence[int], base_side: int = LARGEST_BASE_SIDE) -> int:
    """Number of halvings that bring the longer side down to at most `base_side` pixels."""
    side, stages = max(image_shape[:2]), 0
    while side > base_side:
        side, stages = -(-side // 2), stages + 1
    return stages


def image_encoder(
    image_shape: Sequence[int],
    output_dim: int,
    *,
    network: str,
    width: int,
    hidden_dim: int | Sequence[int],
    kernel_size: int = 4,
    base_side: int = LARGEST_BASE_SIDE,
    group_norm: bool = False,
    dropout: float = 0.0,
    kernel_initializer: str = INITIALIZER,
    name: str,
) -> keras.Sequential:
    """Builds a network from images, or from vectors, to vectors.

    Args:
        image_shape: `(height, width, channels)` in pixels, or `(features,)` for dense networks.
        output_dim: Size of the output vector.
        network: `"conv"` or `"dense"`.
        width: Channels of the first convolution; they double at each halving.
        hidden_dim: Size of the dense layer before the output, which in dense networks follows one
            of twice that size; or the sizes of all hidden dense layers.
        kernel_size: Side of the kernels, in pixels.
        base_side: Longest side, in pixels, at which no further convolution halves the image.
        group_norm: Whether group normalisation follows every convolution but the decoder's last.
            Batch statistics would mix reconstructions with draws from the prior.
        dropout: Share of hidden units dropped in training, in `[0, 1)`.
        kernel_initializer: Name of what draws the kernels of layers that a ReLU follows.
        name: Name of the network.

    Returns:
        A built network, `(batch, *image_shape)` to `(batch, output_dim)`.
    """
    stack: list = [keras.Input(tuple(image_shape))]
    if network == "conv":
        for stage in range(num_stages(image_shape, base_side)):
            stack += _halving(
                layers.Conv2D, width * 2**stage, kernel_size, group_norm, kernel_initializer
            )
    stack.append(layers.Flatten())
    stack += _hidden(hidden_sizes(network, hidden_dim), kernel_initializer)
    if dropout:
        stack.append(layers.Dropout(dropout, seed=0))
    stack += [layers.Dense(output_dim), output_activation("linear")]
    return keras.Sequential(stack, name=name)


def image_decoder(
    input_dim: int,
    image_shape: Sequence[int],
    *,
    network: str,
    width: int,
    hidden_dim: int | Sequence[int],
    kernel_size: int = 4,
    base_side: int = LARGEST_BASE_SIDE,
    group_norm: bool = False,
    rank: int = 0,
    colour_columns: Sequence[int] = (),
    ending: str | None = None,
    kernel_initializer: str = INITIALIZER,
    name: str,
) -> keras.Model:
    """Builds the mirror of `image_encoder`, to images in `(-1, 1)` or to unbounded vectors.

    A side that is not a multiple of its halvings is decoded a little larger and cropped evenly.

    Args:
        input_dim: Size of the input vector.
        image_shape: `(height, width, channels)` in pixels, or `(features,)` for dense networks.
        network: `"conv"` or `"dense"`.
        width: Channels before the last transposed convolution; they double at each halving.
        hidden_dim: As in `image_encoder`, whose sizes it has in reverse.
        kernel_size: As in `image_encoder`; so are `base_side` and `group_norm`.
        base_side: See above.
        group_norm: See above.
        rank: Number of maps, of the size of the image, that the network decodes in place of the
            channels; see `mix_colours`. 0 for the channels.
        colour_columns: Positions in the input that the colours alone are decoded from, and the maps
            from all others. Both from the whole input by default.
        ending: Name of the activation that ends the network; by default tanh for images and none
            for vectors.
        kernel_initializer: As in `image_encoder`.
        name: Name of the network.

    Returns:
        A built network, `(batch, input_dim)` to `(batch, *image_shape)`.

    Raises:
        ValueError: The rank is negative or 1, or 0 where there are columns of the colours.
    """
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
    map_columns = [column for column in range(input_dim) if column not in set(colour_columns)]
    sizes = hidden_sizes(network, hidden_dim)[::-1]
    stack: list = [keras.Input((len(map_columns),)), *_hidden(sizes, kernel_initializer)]
    shape = (*image_shape[:-1], rank or image_shape[-1])
    if network == "dense":
        stack += [layers.Dense(math.prod(shape)), layers.Reshape(shape)]
    else:
        stack += _doublings(shape, width, kernel_size, base_side, group_norm, kernel_initializer)
    output = output_activation(ending or ("linear" if len(shape) == 1 else "tanh"))
    if not rank:
        return keras.Sequential([*stack, output], name=name)
    maps = keras.Sequential(stack, name="maps")
    colour_dim, colour_shape = len(colour_columns) or input_dim, (rank, image_shape[-1])
    colours = _colours(colour_dim, colour_shape, sizes[:1], kernel_initializer)
    code = keras.Input((input_dim,))
    parts = (code, code)
    if colour_columns:
        parts = tuple(ops.take(code, c, axis=-1) for c in (map_columns, list(colour_columns)))
    image = mix_colours(maps(parts[0]), colours(parts[1]))
    return keras.Model(code, output(image), name=name)


def hidden_sizes(network: str, hidden_dim: int | Sequence[int]) -> list[int]:
    """Sizes of the hidden dense layers of an encoder, in order; see `image_encoder`."""
    if isinstance(hidden_dim, int):
        return [hidden_dim] if network == "conv" else [2 * hidden_dim, hidden_dim]
    return [int(size) for size in hidden_dim]


def _hidden(sizes: Sequence[int], kernel_initializer: str) -> list:
    return [
        layers.Dense(size, activation="relu", kernel_initializer=kernel_initializer)
        for size in sizes
    ]


def _colours(
    input_dim: int, shape: tuple[int, int], sizes: Sequence[int], kernel_initializer: str
) -> keras.Sequential:
    """A network to so many colours of so many channels."""
    stack = [*_hidden(sizes, kernel_initializer), layers.Dense(math.prod(shape))]
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


def _doublings(
    shape: Sequence[int],
    width: int,
    kernel_size: int,
    base_side: int,
    group_norm: bool,
    kernel_initializer: str,
) -> list:
    """Layers from a vector to `(height, width, channels)` by transposed convolutions."""
    height, image_width, channels = shape
    stages = num_stages(shape, base_side)
    base = (-(-height // 2**stages), -(-image_width // 2**stages))
    filters = width * 2 ** (stages - 1)
    stack: list = _hidden([base[0] * base[1] * filters], kernel_initializer)
    stack.append(layers.Reshape((*base, filters)))
    for stage in reversed(range(stages - 1)):
        stack += _halving(
            layers.Conv2DTranspose, width * 2**stage, kernel_size, group_norm, kernel_initializer
        )
    stack.append(layers.Conv2DTranspose(channels, kernel_size, strides=2, padding="same"))
    surplus = (base[0] * 2**stages - height, base[1] * 2**stages - image_width)
    if any(surplus):
        stack.append(layers.Cropping2D([(s // 2, s - s // 2) for s in surplus]))
    return stack


def _halving(
    kind: Callable[..., layers.Layer],
    filters: int,
    kernel_size: int,
    group_norm: bool,
    kernel_initializer: str,
) -> list:
    """A convolution of stride 2, or its transpose, with what follows it."""
    settings = {"strides": 2, "padding": "same", "kernel_initializer": kernel_initializer}
    norm = [layers.GroupNormalization(math.gcd(filters, GROUPS))] if group_norm else []
    return [kind(filters, kernel_size, **settings), *norm, layers.Activation("relu")]


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
