"""Random deformations of training images that keep their class."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops


@dataclass(frozen=True)
class Deformations:
    """Shifts, rotates and scales every image of a batch at random, each by its own amount.

    The amounts are uniform up to their bounds. Values between pixels are interpolated; the nearest
    edge pixels fill the area outside the image.

    Args:
        shift: Largest shift as a share of height and of width, at least 0.
        rotation: Largest angle in degrees, at least 0, either way.
        zoom: Largest relative change of the size, at least 0 and below 1, either way.
        flip: Whether to mirror images left to right with probability 0.5.
    """

    shift: float = 0.1
    rotation: float = 15.0
    zoom: float = 0.1
    flip: bool = False

    def __call__(self, images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Deforms images.

        Args:
            images: `(..., height, width, channels)` float32.
            generator: Source of the draws.

        Returns:
            The deformed images, of the same shape.
        """
        flat = images.reshape(-1, *images.shape[-3:])
        transforms = self.draw(len(flat), flat.shape[1:3], generator)
        with keras.device("cpu"):  # the accelerator trains on the batch before
            deformed = ops.image.affine_transform(
                flat, transforms, fill_mode="nearest", data_format="channels_last"
            )
        return np.asarray(deformed).reshape(images.shape)

    def draw(self, count: int, size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        """Draws affine maps from the pixels of deformed images to the original pixels.

        Args:
            count: Number of maps.
            size: Height and width of the images, pixels.
            generator: Source of the draws.

        Returns:
            `(count, 8)` float32 as `keras.ops.image.affine_transform` takes them. Only the shift
            moves the centre of the image.
        """
        turn, stretch, right, down, mirror = generator.uniform(-1, 1, (5, count))
        angle, scale = np.deg2rad(self.rotation) * turn, 1 / (1 + self.zoom * stretch)
        signs = np.where(mirror < 0, -1, 1) if self.flip else np.ones(count)
        cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
        linear = np.stack([[cosine * signs, -sine], [sine * signs, cosine]])  # (y or x, 2, count)
        centre = (np.array(size[::-1]) - 1) / 2
        moved = self.shift * np.stack([size[1] * right, size[0] * down])
        offset = centre[:, None] + moved - np.einsum("ijn,j->in", linear, centre)
        rows = [linear[0, 0], linear[0, 1], offset[0], linear[1, 0], linear[1, 1], offset[1]]
        return np.stack([*rows, np.zeros(count), np.zeros(count)], axis=1).astype(np.float32)
