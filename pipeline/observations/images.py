"""Images, stored as PNG."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from latentloom.model_zoo.metrics.detail import measure_detail
from latentloom.model_zoo.scaling import PixelScaling
from latentloom.pipeline.observations.kind import Kind
from latentloom.pipeline.observations.tfds_features import Feature, image
from latentloom.pipeline.storage.png import (
    after_png,
    decode_png,
    encode_png,
    is_intact_png,
    is_plain_png,
    png_shape,
)

MOST_PIXELS = 1 << 26
"""Largest number of pixels of an image."""


class ImageKind(Kind):
    """Grey or RGB images, `(height, width, channels)` uint8, stored as PNG."""

    feature = "image"
    one, many = "image", "images"
    stored_as = "uint8, PNG"
    damaged = "the PNG is damaged"
    can_resize = True
    stays_in_shards = True
    scaling = PixelScaling
    unit, tolerance = "levels", 1.0

    def check_shape(self, shape: Sequence[int]) -> str:
        """Images have three axes, one or three channels and at most `MOST_PIXELS` pixels."""
        fits = len(shape) == 3 and shape[2] in (1, 3) and min(shape) > 0
        if fits and shape[0] * shape[1] <= MOST_PIXELS:
            return ""
        return f"(height, width, channels) with 1 or 3 channels and 1 to {MOST_PIXELS:,} pixels"

    def tfds_feature(self, shape: Sequence[int]) -> Feature:
        """Returns an image feature in PNG."""
        return image(shape)

    def encode(self, observations: np.ndarray) -> Sequence[bytes]:
        """Returns one PNG file per image."""
        return encode_png(observations)

    def parse(self, feature: Any, shape: tuple[int, ...]) -> bytes | str:
        """Reads one string: one PNG, with a header of this shape and nothing after its end."""
        files = feature.bytes_list.value
        if len(files) != 1:
            return "feature 'image' is missing or not one string"
        file = files[0]
        if is_plain_png(file, shape):
            return file
        found = png_shape(file)
        if isinstance(found, str):
            return found
        if found != shape:
            return f"the image has shape {found} instead of {shape}"
        if more := after_png(file):
            return f"the image has {more} bytes after its end"
        return file if more == 0 else self.damaged

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decodes PNG files; one by one only if some are damaged."""
        intact = np.ones(len(values), bool)
        try:
            return decode_png(values, shape), intact
        except ValueError:
            intact[:] = [is_intact_png(png, shape) for png in values]
        return decode_png(list(itertools.compress(values, intact)), shape), intact

    def detail(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """Returns how strong and how fine edges are."""
        return measure_detail(observations)

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str]:
        """Returns the factor to pixels in the range of the model."""
        low, high = value_range
        return ((high - low) / 255.0) ** 2, f"on pixels in [{low:g}, {high:g}]"

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """Returns one level of 255, for any images."""
        return np.ones((), np.float32)
