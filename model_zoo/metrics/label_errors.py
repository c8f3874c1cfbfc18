"""Which labels are probably wrong, from the probabilities of classifiers that did not see them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DOUBT = 0.15
"""A label is doubted if its probability is below this part of what its class usually has."""


def doubted_labels(
    probabilities: Sequence[np.ndarray], labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Finds labels that all classifiers contradict in the same way.

    A label is doubted if every classifier prefers the same other class, and the mean probability of
    the label is below `DOUBT` of the mean self-confidence of its class: the probability that the
    examples of the class have of it.

    Reference:
        Northcutt, Jiang & Chuang, Confident learning: estimating uncertainty in dataset labels,
        JAIR 2021. Takes its thresholds by class; deviates: several classifiers must agree.

    Args:
        probabilities: Out-of-fold probabilities of each classifier, `(n, classes)`.
        labels: `(n,)` integers, the labels as given.

    Returns:
        Rows of the doubted labels, the most doubtful first, and the class preferred by all for
        every example, `(n,)`; that of the first classifier where they differ.
    """
    rows = np.arange(len(labels))
    mean = np.mean(probabilities, axis=0)
    own, preferred = mean[rows, labels], probabilities[0].argmax(axis=1)
    agree = np.all([each.argmax(axis=1) == preferred for each in probabilities], axis=0)
    counts = np.bincount(labels, minlength=mean.shape[1])
    usual = np.bincount(labels, own, mean.shape[1]) / np.maximum(counts, 1)
    doubt = own / np.maximum(usual[labels], 1e-9)
    doubted = np.flatnonzero(agree & (preferred != labels) & (doubt < DOUBT))
    return doubted[np.argsort(doubt[doubted], kind="stable")], preferred
