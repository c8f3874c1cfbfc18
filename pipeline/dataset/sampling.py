"""Keyed choices of examples that do not depend on their order."""

from __future__ import annotations

import numpy as np

from latentloom.augment import identity_keys
from latentloom.pipeline.dataset.examples import Examples


def one_per_class(examples: Examples, most: int) -> Examples:
    """The first example of each class, of the first `most` classes."""
    return examples.take(np.unique(examples.labels, return_index=True)[1][:most])


def choose(examples: Examples, count: int, seed: int, use: str) -> Examples:
    """A sample of examples by the keyed hash of their ids, in the order of these hashes.

    It does not depend on the order of the examples, and neither does what is measured on it.

    Args:
        examples: The examples.
        count: Size of the sample; everything, in the keyed order, if there are fewer.
        seed: Integer, another seed gives another sample.
        use: What the sample is for; another use gives another sample.
    """
    order = np.argsort(identity_keys(seed, use, examples.ids), kind="stable")
    return examples.take(order[:count])


def rank_in_class(keys: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Place of every key among those of its class, from 0, int64; equal keys in their order."""
    order = np.lexsort((keys, labels))
    starts = np.searchsorted(labels[order], labels[order])
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank
