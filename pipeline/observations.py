"""The kinds of observation: how each is stored in records, scaled for a model, drawn and named.

This is the one place that tells images, vectors and bags of words apart. Data set directories and
bundles store the name of their kind; everything else asks `KINDS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from model_zoo.scaling import Counts, PixelScaling, Scaling, Standardization
from pipeline.images import decode_png, encode_png, is_intact_png, png_shape

if TYPE_CHECKING:
    from pipeline.report.figures import Figures


MOST_WORDS = 50_000
"""Most words of a vocabulary: documents are held as one count a word when they are learnt from."""
MOST_COUNTED = 2**24
"""Most times that a document may have a word: up to here float32 counts exactly."""


class Kind(Protocol):
    """What the pipeline needs to know of a kind of observation."""

    feature: ClassVar[str]
    """Name of the feature that holds the observation in a record."""
    one: ClassVar[str]
    many: ClassVar[str]
    """What people call one of them, and several."""
    stored_as: ClassVar[str]
    """Type and format of a stored observation, for people."""
    damaged: ClassVar[str]
    """Why an observation that `decode` leaves out cannot be used."""
    can_resize: ClassVar[bool]
    """Whether `--image-size` makes sense of them."""
    scaling: ClassVar[type[Scaling]]
    """How they are scaled for a model."""
    unit: ClassVar[str]
    """What differences between two of them are counted in, for people."""
    tolerance: ClassVar[float]
    """How far a value may differ, in that unit, where another kind of CPU has made it."""

    def figures(self, vocabulary: Sequence[str] = ()) -> Figures:
        """How they are drawn in a report; bags of words need the words."""
        ...

    def check_shape(self, shape: Sequence[int]) -> str:
        """Says why no data set can have this event shape; empty if it can."""
        ...

    def tfds_feature(self, shape: Sequence[int]) -> Any:
        """The TFDS feature of observations of an event shape."""
        ...

    def encode(self, observations: np.ndarray) -> Sequence[bytes | np.ndarray]:
        """The value of the feature in the record of each observation; equal ones are equal."""
        ...

    def parse(self, feature: Any, shape: tuple[int, ...]) -> bytes | np.ndarray | str:
        """Reads the value from a `tf.train.Feature`, or says why it cannot be used."""
        ...

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decodes parsed values: those that are intact as one array, and which these are."""
        ...

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str] | None:
        """Factor from squared stored units to those that errors are told in, and their name; None
        where squared errors tell nothing."""
        ...

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """The unit of differences, of the event shape or `()`, from observations if need be."""
        ...


class ImageKind(Kind):
    """Grey or RGB images, `(height, width, channels)` uint8, stored as PNG."""

    feature = "image"
    one, many = "image", "images"
    stored_as = "uint8, PNG"
    damaged = "the PNG is damaged"
    can_resize = True
    scaling = PixelScaling
    unit, tolerance = "levels", 1.0

    def figures(self, vocabulary: Sequence[str] = ()) -> Figures:
        """Mosaics of pixels."""
        from pipeline.report.figures import Mosaics

        return Mosaics()

    def check_shape(self, shape: Sequence[int]) -> str:
        """Images have three axes and one or three channels."""
        fits = len(shape) == 3 and shape[2] in (1, 3)
        return "" if fits else "(height, width, channels) with 1 or 3 channels"

    def tfds_feature(self, shape: Sequence[int]) -> Any:
        """An image in PNG."""
        import tensorflow_datasets as tfds

        return tfds.features.Image(shape=tuple(shape), encoding_format="png")

    def encode(self, observations: np.ndarray) -> Sequence[bytes]:
        """PNG files."""
        return encode_png(observations)

    def parse(self, feature: Any, shape: tuple[int, ...]) -> bytes | str:
        """One string, whose header must be that of a PNG of this shape."""
        image = feature.bytes_list.value
        if len(image) != 1:
            return "feature 'image' is missing or not one string"
        found = png_shape(image[0])
        if isinstance(found, str):
            return found
        return image[0] if found == shape else f"the image has shape {found} instead of {shape}"

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decodes PNG files; one by one only where some are damaged."""
        intact = np.ones(len(values), bool)
        try:
            return decode_png(values, shape), intact
        except ValueError:
            intact[:] = [is_intact_png(png, shape) for png in values]
        return decode_png(list(itertools.compress(values, intact)), shape), intact

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str]:
        """Pixels in the range of the model."""
        low, high = value_range
        return ((high - low) / 255.0) ** 2, f"on pixels in [{low:g}, {high:g}]"

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """One of 255 levels, whatever the images."""
        return np.ones((), np.float32)


class VectorKind(Kind):
    """Vectors, `(features,)` float32, stored as they are."""

    feature = "observation"
    one, many = "vector", "vectors"
    stored_as = "float32"
    damaged = "the vector is not finite"
    can_resize = False
    scaling = Standardization
    unit, tolerance = "standard deviations", 1e-5

    def figures(self, vocabulary: Sequence[str] = ()) -> Figures:
        """Scatter plots."""
        from pipeline.report.figures import ScatterPlots

        return ScatterPlots()

    def check_shape(self, shape: Sequence[int]) -> str:
        """Vectors have one axis."""
        return "" if len(shape) == 1 and shape[0] else "(features,) with at least 1 feature"

    def tfds_feature(self, shape: Sequence[int]) -> Any:
        """A tensor of float32."""
        import tensorflow_datasets as tfds

        return tfds.features.Tensor(shape=tuple(shape), dtype=np.float32)

    def encode(self, observations: np.ndarray) -> Sequence[np.ndarray]:
        """The vectors themselves."""
        return list(observations.astype(np.float32, copy=False))

    def parse(self, feature: Any, shape: tuple[int, ...]) -> np.ndarray | str:
        """As many floats as there are features."""
        values = np.array(feature.float_list.value, np.float32)
        if values.shape == shape:
            return values
        return f"feature 'observation' has {len(values)} floats instead of {shape[0]}"

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Stacks the vectors that are finite."""
        vectors = np.array(values, np.float32).reshape(-1, *shape)
        intact = np.logical_and.reduce(np.isfinite(vectors), axis=-1)
        return vectors[intact], intact

    def error_unit(self, value_range: tuple[float, float]) -> tuple[float, str]:
        """The units of the features."""
        return 1.0, "of the features, in squared units of the data,"

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """The standard deviation of each feature, 1 for one that never varies."""
        vectors = read()
        return np.array(Standardization.fit(vectors).scale if len(vectors) else 1.0)


class CountKind(Kind):
    """Bags of words, `(words,)` int32 counts, stored as pairs of a word's number and its count."""

    feature = "words"
    one, many = "document", "documents"
    stored_as = "int64, pairs of word and count"
    damaged = "the words are not in order, or not counted by numbers of 1 to 2**24"
    can_resize = False
    scaling = Counts
    unit, tolerance = "words", 1.0

    def figures(self, vocabulary: Sequence[str] = ()) -> Figures:
        """Lists of words."""
        from pipeline.report.word_lists import WordLists

        return WordLists(vocabulary)

    def check_shape(self, shape: Sequence[int]) -> str:
        """A vocabulary is one axis."""
        fits = len(shape) == 1 and 2 <= shape[0] <= MOST_WORDS
        return "" if fits else f"(words,) with 2 to {MOST_WORDS:,} words"

    def tfds_feature(self, shape: Sequence[int]) -> Any:
        """A tensor of as many pairs as the document has different words."""
        import tensorflow_datasets as tfds

        return tfds.features.Tensor(shape=(None, 2), dtype=np.int64)

    def encode(self, observations: np.ndarray) -> Sequence[np.ndarray]:
        """Pairs `(different words, 2)`, in the order of the vocabulary."""
        rows, words = np.nonzero(observations)
        pairs = np.stack([words, observations[rows, words]], axis=1).astype(np.int64)
        ends = np.cumsum(np.bincount(rows, minlength=len(observations)))
        return np.split(pairs, ends[:-1]) if len(observations) else []

    def parse(self, feature: Any, shape: tuple[int, ...]) -> np.ndarray | str:
        """Pairs whose words are in the vocabulary."""
        pairs = np.array(feature.int64_list.value, np.int64)
        if not len(pairs) or len(pairs) % 2:
            return "feature 'words' is missing or not pairs of word and count"
        pairs = pairs.reshape(-1, 2)
        outside = pairs[(pairs[:, 0] < 0) | (pairs[:, 0] >= shape[0]), 0]
        if len(outside):
            return f"feature 'words' has word {outside[0]} instead of 0 to {shape[0] - 1}"
        return pairs

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Counts of all words of the documents whose pairs are in order."""
        pairs = np.concatenate([np.zeros((0, 2), np.int64), *values])
        rows = np.repeat(np.arange(len(values)), [len(value) for value in values])
        words, numbers = pairs.T
        bad = (numbers < 1) | (numbers > MOST_COUNTED)
        bad[1:] |= (np.diff(rows) == 0) & (np.diff(words) <= 0)
        intact = np.ones(len(values), bool)
        intact[rows[bad]] = False
        counts = np.zeros((len(values), *shape), np.int32)
        counts[rows, words] = np.where(bad, 0, numbers)
        return counts[intact], intact

    def error_unit(self, value_range: tuple[float, float]) -> None:
        """None: rounding decides which of many rare words a document has."""
        return None

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """One word."""
        return np.ones((), np.float32)


KINDS: dict[str, Kind] = {
    kind.scaling.kind: kind for kind in (ImageKind(), VectorKind(), CountKind())
}
"""The kinds by name: `image`, `vector` and `counts`."""
