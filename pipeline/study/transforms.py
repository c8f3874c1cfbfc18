"""Augmentation without a model: the transforms that rivals apply to a batch of real images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

Batch = tuple[np.ndarray, np.ndarray]
"""Images, float32 in 0 to 255, and one-hot labels."""
Transform = Callable[[np.ndarray, np.ndarray], Batch]

LEVELS = (0.0, 255.0)


def classical(seed: int, flip: bool) -> Transform:
    """Shift, rotation, zoom and erasing by layers of Keras, and a horizontal flip if `flip`."""
    stack = [
        layers.RandomTranslation(0.1, 0.1, fill_mode="constant", seed=seed),
        layers.RandomRotation(0.04, fill_mode="constant", seed=seed + 1),
        layers.RandomZoom(0.1, fill_mode="constant", seed=seed + 2),
        layers.RandomErasing(0.25, scale=(0.02, 0.15), value_range=LEVELS, seed=seed + 3),
    ]
    if flip:
        stack.insert(0, layers.RandomFlip("horizontal", seed=seed + 4))
    return _of_images(stack)


def randaugment(seed: int, flip: bool) -> Transform:
    """RandAugment (Cubuk et al., 2020) by the layer of Keras, and a horizontal flip if `flip`."""
    stack: list = [layers.RandAugment(LEVELS, num_ops=2, factor=0.3, seed=seed)]
    if flip:
        stack.insert(0, layers.RandomFlip("horizontal", seed=seed + 1))
    return _of_images(stack)


def mixup(seed: int, flip: bool) -> Transform:
    """MixUp (Zhang et al., 2018) by the layer of Keras; ignores `flip`."""
    return _of_batches(layers.MixUp(alpha=0.2, seed=seed))


def cutmix(seed: int, flip: bool) -> Transform:
    """CutMix (Yun et al., 2019) by the layer of Keras; ignores `flip`."""
    return _of_batches(layers.CutMix(factor=1.0, seed=seed))


def erasing(seed: int, flip: bool) -> Transform:
    """Random erasing (Zhong et al., 2020) of every image by the layer of Keras; ignores `flip`."""
    always: Any = (1.0, 1.0)  # a range of probabilities; a number is the upper end of one
    return _of_images(
        [layers.RandomErasing(always, scale=(0.02, 0.33), value_range=LEVELS, seed=seed)]
    )


def cropping(seed: int, flip: bool) -> Transform:
    """A square of 0.6 to 0.9 of the sides, anywhere in the image, enlarged; ignores `flip`."""
    generator = np.random.default_rng(seed)

    @tf.function
    def crop(images, boxes):
        rows = tf.range(tf.shape(images)[0])
        return tf.image.crop_and_resize(images, boxes, rows, tf.shape(images)[1:3])

    def transform(images: np.ndarray, labels: np.ndarray) -> Batch:
        sides = generator.uniform(0.6, 0.9, (len(images), 1))
        corners = generator.random((len(images), 2)) * (1 - sides)
        boxes = np.concatenate([corners, corners + sides], axis=1)
        return crop(tf.constant(images), tf.constant(boxes, tf.float32)).numpy(), labels

    return transform


def colours(seed: int, flip: bool) -> Transform:
    """Permutes the channels of every image at random and inverts each with probability 1/2.

    Handwritten for data whose class is independent of colour: it encodes knowledge that a model
    has to learn. Ignores `flip`.
    """
    generator = np.random.default_rng(seed)

    def transform(images: np.ndarray, labels: np.ndarray) -> Batch:
        order = generator.permuted(np.tile(np.arange(images.shape[-1]), (len(images), 1)), axis=1)
        mixed = np.take_along_axis(images, order[:, None, None], axis=-1)
        inverted = generator.random((len(images), 1, 1, 1)) < 0.5
        return np.where(inverted, 255.0 - mixed, mixed).astype(np.float32), labels

    return transform


TRANSFORMS = {
    "classical": classical,
    "randaugment": randaugment,
    "mixup": mixup,
    "cutmix": cutmix,
    "erasing": erasing,
    "cropping": cropping,
    "colours": colours,
}
"""Transforms by name."""


def _of_images(stack: Sequence[keras.Layer]) -> Transform:
    @tf.function
    def change(images):
        for layer in stack:
            images = layer(images, training=True)
        return images

    def transform(images: np.ndarray, labels: np.ndarray) -> Batch:
        return change(tf.constant(images)).numpy(), labels

    return transform


def _of_batches(layer: keras.Layer) -> Transform:
    @tf.function
    def change(batch):
        return layer(batch, training=True)

    def transform(images: np.ndarray, labels: np.ndarray) -> Batch:
        found = change({"images": tf.constant(images), "labels": tf.constant(labels)})
        return found["images"].numpy(), found["labels"].numpy()

    return transform
