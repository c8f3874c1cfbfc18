"""Reads labels from one factor or one property alone, out of fold."""

from __future__ import annotations

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from latentloom.model_zoo.metrics.association import contingency_table

FOLDS = 5
MOST_READ = 20_000
"""Most examples from which numbers are learnt to tell a label."""
SMALLEST_LEAF = 5
MOST_LEAVES = 256


def read_codes(
    codes: np.ndarray, labels: np.ndarray, folds: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Reads the label from the value of a factor alone: the label that has it most, out of fold.

    Returns:
        `(n,)` integers; -1 for values that the other folds do not have.
    """
    read = np.full(len(labels), -1)
    whole = contingency_table(labels, codes, shape)
    for fold in np.unique(folds):
        inside = folds == fold
        table = whole - contingency_table(labels[inside], codes[inside], shape)
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        best = np.where(shares.max(axis=0) > 0, shares.argmax(axis=0), -1)
        read[inside] = best[codes[inside]]
    return read


def read_numbers(numbers: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Reads the label, or any other codes, from numbers by a small tree, out of fold, `(n,)`."""
    read, leaf = labels.copy(), max(SMALLEST_LEAF, len(labels) // 100)
    leaves = min(MOST_LEAVES, max(8, 2 * len(np.unique(labels))))
    for fold in np.unique(folds):
        inside = folds == fold
        tree = DecisionTreeClassifier(
            max_leaf_nodes=leaves, min_samples_leaf=leaf, class_weight="balanced", random_state=0
        )
        if inside.all():
            return np.full(len(labels), np.bincount(labels).argmax())
        read[inside] = tree.fit(numbers[~inside], labels[~inside]).predict(numbers[inside])
    return read


def balanced(read: np.ndarray, labels: np.ndarray) -> float:
    """Mean over the classes of the share that is read correctly."""
    return float(np.mean([np.mean(read[labels == label] == label) for label in np.unique(labels)]))
