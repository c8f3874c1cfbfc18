"""Batches for semi-supervised training: they show the model a share of the labels."""

from __future__ import annotations

import functools

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, keyed_generator, labels_of


class LabelBatches(Batches):
    """Batches that mark the labels to learn from, which are the same in every epoch.

    A batch is `(observations, {"label": ..., "is_shown": ...})`, both `(batch,)` int32. Labels that
    are not shown serve only for figures.

    Args:
        images: `(n, ...)` observations as stored.
        factors: Factors of the observations, of which only the label is used.
        share: Float, share of the labels of each class to show.
        choice: Integer, seed of the choice.
        **settings: Further arguments of `Batches`.
    """

    def __init__(
        self, images: np.ndarray, factors: Factors, *, share: float, choice: int, **settings
    ):
        labels = np.asarray(labels_of(factors))
        is_shown = shown_labels(labels, share, choice)
        super().__init__(images, np.stack([labels, is_shown], axis=1), **settings)

    def __getitem__(self, index: int):
        observations, labels = super().__getitem__(index)
        return observations, {"label": labels[:, 0], "is_shown": labels[:, 1]}


def shown_labels(labels: np.ndarray, share: float, choice: int) -> np.ndarray:
    """Chooses a share of the examples of each class, at least one of each.

    Args:
        labels: `(n,)` integers.
        share: Float in `(0, 1]`.
        choice: Integer, seed of the choice.

    Returns:
        `(n,)` booleans.
    """
    order = keyed_generator(f"{choice}/shown labels").permutation(len(labels))
    is_shown = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        is_shown[members[: max(1, round(share * len(members)))]] = True
    return is_shown


def label_batches(share: float, choice: int):
    """Returns the function that makes `LabelBatches` with this share and choice."""
    return functools.partial(LabelBatches, share=share, choice=choice)
