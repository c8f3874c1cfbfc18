"""Bags of words: counts of the words of a vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from latentloom.model_zoo.scaling import Counts
from latentloom.pipeline.observations.kind import Kind
from latentloom.pipeline.observations.tfds_features import Feature, tensor

MOST_WORDS = 50_000
"""Largest number of words of a vocabulary: training holds one count per word for each document."""
MOST_COUNTED = 2**24
"""Largest count of a word in a document: float32 is exact up to here."""


class CountKind(Kind):
    """Bags of words, `(words,)` int32 counts, stored as pairs of the word's number and count."""

    feature = "words"
    one, many = "document", "documents"
    stored_as = "int64, pairs of word and count"
    damaged = "the words are not in order, or not counted by numbers of 1 to 2**24"
    can_resize = False
    stays_in_shards = False
    has_detail = False
    scaling = Counts
    unit, tolerance = "words", 1.0

    def check_shape(self, shape: Sequence[int]) -> str:
        """A vocabulary is one axis."""
        fits = len(shape) == 1 and 2 <= shape[0] <= MOST_WORDS
        return "" if fits else f"(words,) with 2 to {MOST_WORDS:,} words"

    def tfds_feature(self, shape: Sequence[int]) -> Feature:
        """Returns a tensor with a pair for each different word of the document."""
        return tensor((None, 2), "int64")

    def encode(self, observations: np.ndarray) -> Sequence[np.ndarray]:
        """Returns pairs of shape `(different words, 2)`, in the order of the vocabulary."""
        rows, words = np.nonzero(observations)
        pairs = np.stack([words, observations[rows, words]], axis=1).astype(np.int64)
        ends = np.cumsum(np.bincount(rows, minlength=len(observations)))
        return np.split(pairs, ends[:-1]) if len(observations) else []

    def parse(self, feature: Any, shape: tuple[int, ...]) -> np.ndarray | str:
        """Reads pairs; their words must be in the vocabulary."""
        values = feature.int64_list.value
        if not len(values) or len(values) % 2 or len(values) > 2 * shape[0]:
            return "feature 'words' is missing or not pairs of word and count, one pair per word"
        pairs = np.array(values, np.int64).reshape(-1, 2)
        outside = pairs[(pairs[:, 0] < 0) | (pairs[:, 0] >= shape[0]), 0]
        if len(outside):
            return f"feature 'words' has word {outside[0]} instead of 0 to {shape[0] - 1}"
        return pairs

    def decode(
        self, values: Sequence[Any], shape: tuple[int, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Decodes counts of all words, of the documents with pairs in order and valid counts."""
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
        """Returns None: rounding decides which of many rare words a document has."""
        return None

    def difference_unit(self, read: Callable[[], np.ndarray]) -> np.ndarray:
        """Returns one word."""
        return np.ones((), np.float32)
