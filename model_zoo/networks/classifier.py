"""The classifiers that judge or audit generated images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import layers

from latentloom.model_zoo.networks.architecture import resolve_network
from latentloom.model_zoo.networks.encoder_decoder import output_activation
from latentloom.model_zoo.networks.normalization import FusedBatchNormalization
from latentloom.model_zoo.networks.sizes import check_weights

FEATURES = "features"
NUM_FEATURES = 256
"""Size of the last hidden layer of an `image_classifier`."""


def image_classifier(
    image_shape: Sequence[int], num_classes: int | Sequence[int], *, width: int = 32
) -> keras.Sequential:
    """Builds a small classifier of images in `[-1, 1]` or vectors, for one factor or more.

    Images of 16 pixels or more pass three strided convolutions with batch normalisation; then come
    dense layers and dropout. Vectors pass a dense layer first, because dropout on a few features
    could remove all that predict the class. Initial weights and dropout follow
    `keras.utils.set_random_seed`.

    Args:
        image_shape: `(height, width, channels)` in pixels, or `(features,)`.
        num_classes: Integer, number of classes; or the number of values of each factor to predict.
            Their logits come side by side from one trunk.
        width: Integer, channels of the first convolution.

    Returns:
        A built network, `(batch, *image_shape)` to `(batch, num_classes)`, or to
        `(batch, sum(num_classes))` for several factors; `split_heads` splits the latter.
    """
    num_logits = num_classes if isinstance(num_classes, int) else sum(num_classes)
    is_conv = resolve_network("auto", image_shape) == "conv"
    _check_weights(image_shape, num_logits, width if is_conv else 0)
    stack: list = [keras.Input(tuple(image_shape))]
    if is_conv:
        for filters in (width, 2 * width, 4 * width):
            stack += [
                layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False),
                FusedBatchNormalization(momentum=0.9),
                layers.Activation("relu"),
            ]
    elif len(image_shape) == 1:
        stack.append(layers.Dense(256, activation="relu"))
    stack += [
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(NUM_FEATURES, activation="relu", name=FEATURES),
        layers.Dropout(0.4),
        layers.Dense(num_logits),
        output_activation("linear"),
    ]
    return keras.Sequential(stack, name="classifier")


def _check_weights(image_shape: Sequence[int], num_logits: int, width: int) -> None:
    """Rejects a classifier before a layer is made; `width` is 0 for no convolutions."""
    flat, shapes = math.prod(image_shape), [(256, num_logits)]
    if width:
        flat = -(-image_shape[0] // 8) * -(-image_shape[1] // 8) * 4 * width
        shapes += [(3, 3, width, 2 * width), (3, 3, 2 * width, 4 * width)]
    check_weights("classifier", (flat, 256), *shapes)


def residual_classifier(
    image_shape: Sequence[int],
    num_classes: int | Sequence[int],
    *,
    width: int = 32,
    blocks: int = 2,
    stride: int = 1,
) -> keras.Model:
    """Builds a residual network for images in `[-1, 1]`, stronger and slower.

    Three stages of pre-activation blocks, at full, half and quarter resolution, with `width`,
    `2 * width` and `4 * width` channels; then global average pooling and dropout.

    Reference:
        He et al., Identity Mappings in Deep Residual Networks, ECCV 2016,
        https://arxiv.org/abs/1603.05027. Deviates: few blocks of two convolutions, and dropout.

    Args:
        image_shape: `(height, width, channels)` in pixels.
        num_classes: Integer, number of classes; or the number of values of each factor to predict,
            as in `image_classifier`.
        width: Integer, channels of the first stage.
        blocks: Integer, blocks of a stage.
        stride: Integer, stride of the first convolution, by which all resolutions are divided.

    Returns:
        A built network, `(batch, *image_shape)` to `(batch, num_classes)`.
    """
    num_logits = num_classes if isinstance(num_classes, int) else sum(num_classes)
    images = keras.Input(tuple(image_shape))
    size = 3 if stride == 1 else 5
    x = layers.Conv2D(width, size, strides=stride, padding="same", use_bias=False)(images)
    for stage, filters in enumerate((width, 2 * width, 4 * width)):
        for block in range(blocks):
            x = _residual_block(x, filters, strides=2 if stage and not block else 1)
    x = layers.GlobalAveragePooling2D(name=FEATURES)(_normalised(x))
    logits = layers.Dense(num_logits)(layers.Dropout(0.3)(x))
    return keras.Model(images, output_activation("linear")(logits), name="residual_classifier")


def _residual_block(x, filters: int, strides: int):
    """Two convolutions and a shortcut; the shortcut is projected where the shape changes."""
    inner = _normalised(x)
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = layers.Conv2D(filters, 1, use_bias=False)(_thinned(inner, strides))
    inner = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(inner)
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(_normalised(inner))
    return layers.add([shortcut, inner])


def _thinned(x, strides: int):
    """Every `strides`-th pixel of either side, as a convolution of 1 x 1 would take them.

    TensorFlow 2.21 can crash in the gradient of such a convolution on a CPU.
    """
    return layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x


def _normalised(x):
    return layers.Activation("relu")(FusedBatchNormalization(momentum=0.9)(x))


def auditing_classifier(
    image_shape: Sequence[int], num_classes: int | Sequence[int], *, width: int = 32
) -> keras.Model:
    """Builds a classifier as large as `image_classifier` that errs in other ways.

    A `residual_classifier` of one block a stage and half the width, from half the resolution on.

    Args:
        image_shape: `(height, width, channels)`, at least 16 pixels high and wide.
        num_classes: As in `image_classifier`.
        width: Width of the `image_classifier` beside it.

    Raises:
        ValueError: The observations are vectors or smaller images.
    """
    if len(image_shape) != 3 or min(image_shape[:2]) < 16:
        raise ValueError(
            "A residual auditor cannot read these observations. Expected: images of at least 16 x "
            f"16 pixels. Received: shape={tuple(image_shape)}. Set judge.auditor to convolutional."
        )
    width = max(width // 2, 4)
    return residual_classifier(image_shape, num_classes, width=width, blocks=1, stride=2)


CLASSIFIERS = {"convolutional": image_classifier, "residual": auditing_classifier}
"""Architectures of judges and auditors by name."""


def feature_network(classifier: keras.Model) -> keras.Model:
    """Returns a classifier up to its last hidden layer, `(batch, features)`."""
    return keras.Model(classifier.inputs, classifier.get_layer(FEATURES).output)
