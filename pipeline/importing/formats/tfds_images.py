"""The image feature of a TFDS data set, and the levels of its images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from latentloom.pipeline.importing.formats.tfds_fields import (
    iterate,
    read,
)
from latentloom.pipeline.importing.image_form import ImageForm
from latentloom.pipeline.importing.levels import find_levels, peaks_of
from latentloom.pipeline.importing.opacity import shown, without_opacity

_AT_ONCE = 1024  # examples whose brightest pixels are read at once
_DEEP = (np.uint8, np.uint16)


def image_feature(where: str, features: Any, form: ImageForm) -> tuple[str, tuple[int, int, int]]:
    """Returns the name of the image feature, and the shape of its images once on a ground."""
    import tensorflow_datasets as tfds

    names = [n for n in sorted(features) if isinstance(features[n], tfds.features.Image)]
    if not names or features[names[0]].np_dtype not in _DEEP[: 1 if form.levels is None else 2]:
        types = {name: np.dtype(features[name].np_dtype).name for name in names}
        raise ValueError(
            f"TFDS data set '{where}' has no image of 8 bits a channel. Expected: an 8-bit Image "
            "feature, or one of 16 bits with a range. "
            f"Received: {types or sorted(features)}. Choose another data set, or pass --range "
            "LOW,HIGH for 16 bits."
        )
    name = "image" if "image" in names else names[0]
    height, width, channels = features[name].shape
    if not channels:
        raise ValueError(
            f"The images of TFDS data set '{where}' differ in their channels. Expected: 1 to 4 "
            f"channels. Received: shape={features[name].shape}. Prepare it with a shape."
        )
    height, width = form.size or (height, width)
    if height is None or width is None:
        raise ValueError(
            f"The images of TFDS data set '{where}' differ in size. Expected: one size. "
            f"Received: shape={features[name].shape}. Pass --image-size 64, which keeps "
            "shapes and pads, or crops with --fit crop."
        )
    return name, (height, width, without_opacity(channels))


def levelled(
    where: str, builder: Any, splits: Sequence[str], image_field: str, form: ImageForm
) -> ImageForm:
    """Returns the form with levels for the images of some splits, as `find_levels` tells."""
    import tensorflow as tf

    def brightest_pixel(features):
        return tf.numpy_function(
            lambda image: peaks_of(shown(image[None]))[0], [features[image_field]], tf.uint8
        )

    def peaks() -> Iterator[int]:
        for split in splits:
            pixels = read(builder, split, [image_field]).map(brightest_pixel)
            for batch in iterate(pixels.batch(_AT_ONCE), builder.name):
                yield int(batch.max())

    return form if form.levels is not None else replace(form, levels=find_levels(where, peaks()))
