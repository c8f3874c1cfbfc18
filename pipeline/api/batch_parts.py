"""Takes a batch of images and labels apart, as a layer gets it, and checks the parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

IMAGES, LABELS = "images", "labels"
"""Keys of a batch that is a dictionary."""
_FLOATS = ("bfloat16", "float16", "float32", "float64")


class BatchParts(NamedTuple):
    """A batch of examples.

    Attributes:
        batch: The batch as it came: images, `(images, labels, ...)`, or a dictionary.
        images: Its images.
        labels: Its labels; None if it has none.
    """

    batch: Any
    images: Any
    labels: Any

    def with_images(self, images: Any) -> Any:
        """Returns the batch with other images, everything else as it came."""
        if isinstance(self.batch, dict):
            return {**self.batch, IMAGES: images}
        if isinstance(self.batch, list):
            return [images, *self.batch[1:]]
        return (images, *self.batch[1:]) if isinstance(self.batch, tuple) else images


def take_apart(batch: Any) -> BatchParts:
    """Finds images and labels in a batch.

    Raises:
        ValueError: If there are no images.
    """
    if isinstance(batch, dict):
        if IMAGES not in batch:
            raise ValueError(
                f"The batch has no images. Expected: a key '{IMAGES}', and '{LABELS}' if there "
                f"are labels. Received: keys {sorted(batch)}. Rename the key."
            )
        return BatchParts(batch, batch[IMAGES], batch.get(LABELS))
    if isinstance(batch, (tuple, list)):
        if not batch:
            raise ValueError(
                "The batch is empty. Expected: images, (images, labels) or a dictionary. "
                f"Received: {batch!r}. Pass images."
            )
        return BatchParts(batch, batch[0], batch[1] if len(batch) > 1 else None)
    return BatchParts(batch, batch, None)


def check_images(images: Any, shape: Sequence[int] | None) -> None:
    """Checks type and shape of images.

    Args:
        images: A batch of images.
        shape: Shape of one image; None if any will do.

    Raises:
        TypeError: If they are of another type.
        ValueError: If they have another shape.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype not in ("uint8", *_FLOATS):
        raise TypeError(
            "The images are of a wrong type. Expected: uint8 of 0 to 255, or floats within "
            f"`value_range`. Received: dtype={dtype}. Cast them first."
        )
    found = tuple(images.shape)
    wanted = (None, *(shape or (None,) * 3))
    if len(found) != len(wanted) or not all(
        have is None or want is None or have == want
        for have, want in zip(found, wanted, strict=True)
    ):
        raise ValueError(
            f"The images do not fit the bundle. Expected: a batch ({_shown(wanted)}). Received: "
            f"shape=({_shown(found)}). Resize the images to those that the bundle was trained on, "
            "and batch them first."
        )


def classes_of(labels: Any, num_classes: int) -> Any:
    """Returns labels as codes, int32 of shape `(n,)`.

    Args:
        labels: Codes `(n,)` or `(n, 1)`, or one-hot rows `(n, num_classes)`.
        num_classes: Number of classes.

    Raises:
        ValueError: If they are neither.
    """
    shape = tuple(labels.shape)
    if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1):
        return ops.cast(ops.reshape(labels, (-1,)), "int32")
    if len(shape) == 2 and shape[1] == num_classes:
        return ops.cast(ops.argmax(labels, axis=-1), "int32")
    raise ValueError(
        f"The labels do not fit the bundle. Expected: codes (n,), or one-hot (n, {num_classes}). "
        f"Received: shape=({_shown(shape)}). Pass the labels of the images, in the order of the "
        "classes of the bundle."
    )


def _shown(shape: Sequence[int | None]) -> str:
    return ", ".join("n" if size is None else str(size) for size in shape)
