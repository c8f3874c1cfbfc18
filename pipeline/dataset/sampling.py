"""Keyed choices of examples that do not depend on their order."""

from __future__ import annotations

import math

import numpy as np

from latentloom.augment import identity_keys
from latentloom.pipeline.dataset.examples import Examples

SAMPLE_BYTES = 128 << 20
"""Bytes of the observations that a measure holds, decoded."""


def one_per_class(labels: np.ndarray) -> np.ndarray:
    """Returns the row of the first example of each class, in the order of the classes."""
    return np.unique(labels, return_index=True)[1]


def classes_in_turn(labels: np.ndarray, most: int, keys: np.ndarray | None = None) -> np.ndarray:
    """Returns rows of a few examples of every class, sorted by class.

    Each turn takes one example of every class that has any left. The last turn may be incomplete.

    Args:
        labels: `(n,)` integers, the classes.
        most: Largest number of rows to take.
        keys: `(n,)` numbers: each class gives its examples with the smallest keys first, and an
            incomplete turn takes the smallest keys. By default, takes examples and classes in their
            order.

    Returns:
        int64 of shape `(most,)`, or fewer where there are fewer examples.
    """
    own = np.arange(len(labels)) if keys is None else keys
    turns = rank_in_class(own, labels)
    rows = np.lexsort((labels if keys is None else keys, turns))[:most]
    return rows[np.argsort(labels[rows], kind="stable")]


def choose(examples: Examples, count: int, seed: int, use: str) -> Examples:
    """Samples examples by the keyed hash of their ids, in the order of these hashes.

    The sample, and any measure on it, does not depend on the order of the examples.

    Args:
        examples: The examples.
        count: Size of the sample; all examples, in the keyed order, if there are fewer.
        seed: Integer, another seed gives another sample.
        use: What the sample is for; another use gives another sample.
    """
    order = np.argsort(identity_keys(seed, use, examples.ids), kind="stable")
    return examples.take(order[:count])


def sample(
    examples: Examples, count: int, seed: int, use: str, *, of_each: float = 1.0
) -> Examples:
    """Samples as `choose` does, into memory: fewer examples where observations are large.

    Args:
        examples: The examples.
        count: Largest size of the sample.
        seed: Integer, another seed gives another sample.
        use: What the sample is for; another use gives another sample.
        of_each: How many times its own bytes are held of an example, such as its variants. All
            together are at most `SAMPLE_BYTES`, unless one example is larger.
    """
    most = most_in_memory(examples.observations, of_each)
    return choose(examples, min(count, most), seed, use).loaded()


def most_in_memory(observations: np.ndarray, of_each: float = 1.0) -> int:
    """Returns how many of such observations fit into `SAMPLE_BYTES`, at least 1."""
    num_bytes = math.prod(observations.shape[1:]) * observations.dtype.itemsize * of_each
    return max(1, int(SAMPLE_BYTES / max(num_bytes, 1)))


def rank_in_class(keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns the rank of every key in its class, from 0, int64; equal keys keep their order."""
    order = np.lexsort((keys, labels))
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank
