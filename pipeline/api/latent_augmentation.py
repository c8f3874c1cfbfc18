"""A Keras layer that replaces a share of the images of a batch by variants, in training."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.api.arguments import input_path
from latentloom.pipeline.api.batch_parts import check_images, classes_of, take_apart
from latentloom.pipeline.codec.graph_variants import GraphVariants
from latentloom.pipeline.storage.files import Location, exists, local_folder


@keras.saving.register_keras_serializable("latentloom")
class LatentAugmentation(keras.layers.Layer):
    """Replaces a share of the images of each batch by variants of them that keep the class.

    A variant is made by the encoder and decoder of a bundle, inside the graph, and kept if the
    judge of the bundle reads the class of the image in it; else the image stays. Works as a layer
    of a model, and with TensorFlow in `tf.data.Dataset.map`; on a GPU put it into the model.
    Inactive unless `training=True`, which `fit` passes to the layers of a model.

    The weights of the bundle are no part of a model with this layer: `get_config` holds the path.
    A model that was saved with it predicts without the bundle.

    Args:
        bundle: Path of a bundle of images that `train` wrote.
        recipe: `"class_preserving"`, `"sample_class"` or `"reconstruct"`.
        share: Float in `[0, 1]`: share of the images of a batch for which a variant is made,
            rounded to whole images.
        options: Options of the recipe, such as `{"step": 0.5}`.
        gate: Float in `[0, 1]`: least probability, by the judge, of the label of the image; without
            labels, of the class that the judge reads in the image itself. None keeps every variant.
        detail: Float in `[0, 1]`: share of the detail of an image that is put back into its
            variant, as `generate.detail` does.
        value_range: Range of images of floats; uint8 spans 0 to 255.
        seed: Integer. Equal seeds give equal variants, batch by batch.
        needs_bundle: Whether a missing bundle is an error at once; `from_config` passes False, so
            that it is one only in training.

    Input shape:
        Images uint8 or float `(n, height, width, channels)`; `(images, labels, ...)`; or a
        dictionary with `images` and, if there are any, `labels`: codes `(n,)` or one-hot
        `(n, num_classes)`, in the order of the classes of the bundle.

    Output shape:
        Same as the input.

    Raises:
        FileNotFoundError: If the bundle is missing.
        TypeError: If the images are neither uint8 nor floats.
        ValueError: If an argument is out of range, the recipe needs donors or a plan, the bundle is
            damaged or not of images, or a batch does not fit it.

    Example:
        >>> layer = latentloom.keras.LatentAugmentation("bundle", share=0.5)
        >>> images = np.stack([record["image"] for record in latentloom.open_dataset("data")[:8]])
        >>> tuple(layer(images, training=True).shape)
        (8, 8, 8, 1)
    """

    def __init__(
        self,
        bundle: Location,
        recipe: str = "class_preserving",
        share: float = 0.5,
        *,
        options: Mapping[str, Any] | None = None,
        gate: float | None = 0.9,
        detail: float = 0.0,
        value_range: Sequence[float] = (0.0, 255.0),
        seed: int = 0,
        needs_bundle: bool = True,
        **kwargs: Any,
    ):
        super().__init__(autocast=False, **kwargs)
        for name, value in {"share": share, "gate": gate, "detail": detail}.items():
            _check_share(name, value)
        self.bundle, self.recipe = input_path(bundle, "bundle"), recipe
        self.share, self.gate, self.detail = share, gate, detail
        self.options, self.seed = dict(options or {}), seed
        self.value_range = _checked_range(value_range)
        self.generator = keras.random.SeedGenerator(seed)
        self._variants = self._load() if needs_bundle or self._has_bundle() else None
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer; see `call`.

        Raises:
            RuntimeError: If TensorFlow traces the call, in `tf.data`, and Keras runs on JAX.
        """
        if keras.backend.backend() != "tensorflow" and _tensorflow_traces():
            raise RuntimeError(
                f"Layer '{self.name}' cannot run in tf.data here: its networks are on another "
                "backend. Expected: Keras on TensorFlow. Received: "
                f"KERAS_BACKEND={keras.backend.backend()}. Put the layer into the model."
            )
        return super().__call__(inputs, *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the batch with a share of its images replaced; unchanged unless training."""
        parts = take_apart(inputs)
        variants = self._variants
        check_images(parts.images, variants and variants.shape)
        if not training or not self.share:
            return inputs
        if variants is None:
            raise FileNotFoundError(
                f"Layer '{self.name}' has no bundle to train with. Expected: a bundle at "
                f"'{self.bundle}'. Received: none when the layer was loaded. Put it there and load "
                "the model again."
            )
        images = ops.convert_to_tensor(parts.images)
        labels = None
        if parts.labels is not None:
            labels = classes_of(ops.convert_to_tensor(parts.labels), variants.num_classes)
        return parts.with_images(self._replaced(images, labels, variants))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        """Returns the input as it is, with its images checked."""
        check_images(take_apart(inputs).images, self._variants and self._variants.shape)
        return keras.tree.map_structure(lambda x: keras.KerasTensor(x.shape, x.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments; the bundle by its path."""
        own = ("bundle", "recipe", "share", "gate", "detail", "value_range", "seed")
        given = {name: getattr(self, name) for name in own} | {"options": dict(self.options)}
        return {**super().get_config(), **given}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LatentAugmentation:
        """Makes a layer of its arguments; a missing bundle is an error only in training."""
        return cls(**{"needs_bundle": False, **config})

    def _has_bundle(self) -> bool:
        return exists(os.path.join(self.bundle, "bundle.json"))

    def _load(self) -> GraphVariants:
        with local_folder(self.bundle) as folder, _float32():
            bundle = load_bundle(folder)
        return GraphVariants(bundle, self.recipe, self.options, self.gate, self.detail)

    def _replaced(self, images: Any, labels: Any, variants: GraphVariants) -> Any:
        """Replaces the images that are first in a random order, if their variants are accepted."""
        shape: Any = ops.shape(images)  # as integers where they are known
        count = shape[0]
        order = ops.argsort(keras.random.uniform((count,), seed=self.generator))
        first, rest = _split(order, count, self.share)
        chosen = ops.take(images, first, axis=0)
        stored = self._as_stored(ops.reshape(chosen, (-1, *variants.shape)))
        expected = variants.classes(stored) if labels is None else ops.take(labels, first, axis=0)
        made, accepted = variants(stored, expected, self.generator)
        kept = ops.where(ops.reshape(accepted, (-1, 1, 1, 1)), self._as_given(made, images), chosen)
        shuffled = ops.concatenate([kept, ops.take(images, rest, axis=0)], axis=0)
        return ops.take(shuffled, ops.argsort(order), axis=0)

    def _as_stored(self, images: Any) -> Any:
        if keras.backend.standardize_dtype(images.dtype) == "uint8":
            return images
        low, high = self.value_range
        floats: Any = ops.cast(images, "float32")
        levels = ops.round((floats - low) * (255.0 / (high - low)))
        return ops.cast(ops.clip(levels, 0.0, 255.0), "uint8")

    def _as_given(self, stored: Any, images: Any) -> Any:
        """Returns images as stored in type and range of those that the layer was given."""
        dtype = keras.backend.standardize_dtype(images.dtype)
        if dtype == "uint8":
            return stored
        low, high = self.value_range
        floats: Any = ops.cast(stored, "float32")
        return ops.cast(floats * ((high - low) / 255.0) + low, dtype)


@contextmanager
def _float32() -> Iterator[None]:
    """Builds networks in the precision in which they were trained and the judge was measured."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def _split(order: Any, count: Any, share: float) -> tuple[Any, Any]:
    """Splits an order at a share of it, rounded to whole rows, half up."""
    if isinstance(count, int):
        cut = math.floor(share * count + 0.5)
    else:
        rows: Any = ops.cast(count, "float32")
        cut = ops.cast(ops.floor(share * rows + 0.5), "int32")
    return order[:cut], order[cut:]


def _tensorflow_traces() -> bool:
    """Whether the call is traced by TensorFlow, as in `tf.data.Dataset.map`."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and not tensorflow.executing_eagerly()


def _check_share(name: str, value: float | None) -> None:
    if value is None and name == "gate":
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(
            f"`{name}` of the layer is out of range. Expected: a number in [0, 1]. Received: "
            f"{name}={value!r}. Pass a share."
        )


def _checked_range(value_range: Sequence[float]) -> tuple[float, float]:
    low, high = (float(end) for end in value_range)
    if not -math.inf < low < high < math.inf:
        raise ValueError(
            "`value_range` of the layer is out of order. Expected: two finite numbers, the lower "
            f"first. Received: value_range={value_range!r}. Pass (0, 1) or (0, 255)."
        )
    return low, high
