"""Encodes and decodes batches of 8-bit images as PNG, inside a TensorFlow graph.

Imports TensorFlow only inside the functions that use it.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence

import numpy as np

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # PNG colour type -> channels
_FAST_FROM = 64  # pixels per side from which compression costs more than it saves
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\0\0\0\0IEND\xaeB`\x82"


@functools.cache
def _encoder(compression: int):
    import tensorflow as tf

    signature = [tf.TensorSpec((None, None, None, None), tf.uint8)]
    return tf.function(
        lambda images: tf.io.encode_png(images, compression=compression),
        input_signature=signature,
    )


@functools.cache
def _decoder(shape: tuple[int, ...]):
    import tensorflow as tf

    one = tf.TensorSpec(shape, tf.uint8)

    def decode(data):
        return tf.ensure_shape(tf.io.decode_png(data, channels=shape[2]), shape)

    return tf.function(
        lambda batch: tf.map_fn(decode, batch, fn_output_signature=one),
        input_signature=[tf.TensorSpec((None,), tf.string)],
    )


def encode_png(images: np.ndarray) -> list[bytes]:
    """Encodes a batch of images; equal images give equal bytes.

    Args:
        images: uint8 array of shape `(batch_size, height, width, channels)`, 1 or 3 channels.

    Returns:
        One PNG file per image.

    Raises:
        TypeError: If the images are not uint8.
        ValueError: If the images are not a batch of grey or RGB images.
    """
    if images.dtype != np.uint8:
        raise TypeError(
            "The images have the wrong type. Expected: uint8 in 0..255. "
            f"Received: images.dtype={images.dtype}. Round and cast them first."
        )
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise ValueError(
            "The images have the wrong shape. Expected: shape (n, height, width, 1 or 3). "
            f"Received: images.shape={images.shape}. Reshape them first."
        )
    if not len(images):
        return []
    compression = 1 if max(images.shape[1:3]) >= _FAST_FROM else -1
    return _encoder(compression)(images).numpy().tolist()


def decode_png(data: Sequence[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """Decodes PNG files of one shape. Check `png_shape` first: a decoder trusts the header.

    Args:
        data: PNG files.
        shape: Event shape `(height, width, channels)` of each.

    Returns:
        uint8 array of shape `(len(data), height, width, channels)`.

    Raises:
        ValueError: If a file is damaged or has another shape.
    """
    if not len(data):
        return np.zeros((0, *shape), np.uint8)
    import tensorflow as tf

    try:
        return _decoder(tuple(shape))(tf.constant(list(data), tf.string)).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            f"An image is unreadable. Expected: PNG files of shape {tuple(shape)}. Received: "
            f"{error.message}. Leave out images that `is_intact_png` rejects."
        ) from error


def is_intact_png(data: bytes, shape: tuple[int, ...]) -> bool:
    """Returns whether a PNG of this shape decodes without an error."""
    try:
        decode_png([data], shape)
    except ValueError:
        return False
    return True


def after_png(data: bytes) -> int | None:
    """Returns the number of bytes after the end of a PNG; None if it has no end."""
    end = data.find(_END)
    return None if end < 0 else len(data) - end - len(_END)


def png_shape(data: bytes) -> tuple[int, int, int] | str:
    """Reads the shape from the header of a PNG; returns the reason as text if it is unusable.

    Args:
        data: A PNG file.

    Returns:
        `(height, width, channels)`, or a reason as text: not a PNG, a palette, not 8 bits.
    """
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR" or len(data) < 26:
        return "the image is not a PNG"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    if depth != 8:
        return f"the image has {depth} bits per channel instead of 8"
    if colour not in _CHANNELS:
        return f"the image has PNG colour type {colour} instead of grey or RGB"
    return height, width, _CHANNELS[colour]
