"""One pass over a data set: a few numbers of every example, never its pixels."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from latentloom.augment import identity_keys
from latentloom.model_zoo.metrics.image_properties import are_constant, measure_image_properties
from latentloom.model_zoo.metrics.perceptual_hash import perceptual_hashes
from latentloom.model_zoo.scaling import PIXELS
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import rank_in_class
from latentloom.pipeline.observations import KINDS

TRAIN = "train"
"""The split in which ties, cells and properties are measured."""
DIGEST_BYTES = 16


@dataclass(frozen=True)
class Survey:
    """A few numbers of every example of a data set.

    Attributes:
        examples: The examples of all splits, one split behind the other.
        splits: The rows of each split that has examples.
        digests: BLAKE2 of each observation, `(n,)` of `S16`.
        constant: Whether all pixels of an image are alike, bool `(n,)`; False for others.
        hashes: Perceptual hash of each image, uint64 `(n,)`; empty for other observations.
        waves: Long waves of each image, see `perceptual_hashes`; empty for other observations.
        properties: Properties of the images, float32 `(n, numbers)` each; none for others.
        seed: Seed of all samples and folds.
    """

    examples: Examples
    splits: dict[str, slice]
    digests: np.ndarray
    constant: np.ndarray
    hashes: np.ndarray
    waves: np.ndarray
    properties: dict[str, np.ndarray]
    seed: int

    @property
    def is_of_images(self) -> bool:
        """Whether the observations are images."""
        return len(self.hashes) > 0

    @property
    def train(self) -> slice:
        """The rows of split `train`."""
        return self.splits[TRAIN]

    @functools.cached_property
    def split_of(self) -> np.ndarray:
        """Name of the split of every example, `(n,)`."""
        sizes = [rows.stop - rows.start for rows in self.splits.values()]
        return np.repeat(list(self.splits), sizes)

    def sample(self, rows: np.ndarray, most: int, use: str) -> np.ndarray:
        """Samples at most so many of some rows by the ids of their examples; sorted."""
        if len(rows) <= most:
            return rows
        keys = identity_keys(self.seed, use, [self.examples.ids[row] for row in rows])
        return np.sort(rows[np.argsort(keys, kind="stable")[:most]])

    def folds(self, rows: np.ndarray, number: int) -> np.ndarray:
        """Divides rows into folds, class by class and by their ids; the fold of each row."""
        keys = identity_keys(self.seed, "audit folds", [self.examples.ids[row] for row in rows])
        labels = self.examples.labels[rows]
        return (rank_in_class(keys, labels) + labels) % number


def survey(dataset: DatasetDir, seed: int, advance: Callable[[int, int], None]) -> Survey:
    """Reads every example once, in batches.

    Args:
        dataset: The data set.
        seed: Seed of the samples and folds that are drawn of it.
        advance: Called with the number of examples read and of all.

    Raises:
        ValueError: A record is damaged, or there are no training examples.
    """
    sizes = {split: dataset.manifest.num_examples(split) for split in dataset.splits}
    if not sizes.get(TRAIN):
        raise ValueError(
            f"There is nothing to audit. Expected: examples in split '{TRAIN}' of "
            f"'{dataset.path}'. Received: {sizes}. Import data with training examples."
        )
    names = [split for split, size in sizes.items() if size]
    examples = Examples.concatenate([dataset.read(split) for split in names])
    ends = np.cumsum([sizes[split] for split in names])
    splits = {n: slice(int(e) - sizes[n], int(e)) for n, e in zip(names, ends, strict=True)}
    return survey_examples(examples, splits, dataset.manifest.observation, seed, advance)


def survey_examples(
    examples: Examples,
    splits: dict[str, slice],
    observation: str,
    seed: int,
    advance: Callable[[int, int], None],
) -> Survey:
    """Takes the numbers of examples, in batches.

    Args:
        examples: The examples of all splits, one split behind the other.
        splits: The rows of each split.
        observation: Kind of observation.
        seed: Seed of the samples and folds that are drawn of them.
        advance: Called with the number of examples read and of all.
    """
    parts, size = [], KINDS[observation].batch_size(examples.observations.shape[1:])
    is_image = observation == PIXELS.kind
    for start in range(0, len(examples), size):
        parts.append(_measure(examples.observations[start : start + size], is_image))
        advance(min(start + size, len(examples)), len(examples))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Survey(
        examples=examples,
        splits=splits,
        digests=joined.pop("digests"),
        constant=joined.pop("constant"),
        hashes=joined.pop("hashes"),
        waves=joined.pop("waves"),
        properties=joined,
        seed=seed,
    )


def _measure(observations: np.ndarray, is_image: bool) -> dict[str, np.ndarray]:
    """The numbers of a batch, in columns."""
    digests = [hashlib.blake2b(one.tobytes(), digest_size=DIGEST_BYTES) for one in observations]
    columns = {"digests": np.array([digest.digest() for digest in digests], f"S{DIGEST_BYTES}")}
    if not is_image:
        none = np.zeros(0)
        constant = np.zeros(len(observations), bool)
        return columns | {"constant": constant, "hashes": none, "waves": none}
    hashes, waves = perceptual_hashes(observations)
    columns |= {"constant": are_constant(observations), "hashes": hashes, "waves": waves}
    return columns | measure_image_properties(observations)
