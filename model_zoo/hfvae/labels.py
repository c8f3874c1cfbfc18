"""Which examples show their label to a model that learns from a share of the labels."""

from __future__ import annotations

import functools

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, keyed_generator, labels_of


class LabelBatches(Batches):
    """Batches that say which labels a model may learn from, the same ones in every epoch.

    A batch is `(observations, {"label": ..., "is_shown": ...})`, `(batch,)` int32 both. Labels that
    are not shown are there for figures alone.

    Args:
        images: `(n, ...)` observations as they are stored.
        factors: Their factors, of which the label counts.
        share: Float, share of the labels of each class to show.
        choice: Integer, seed of the choice.
        **settings: Those of `Batches`.
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
        choice: Integer, seed of the choice, which depends on nothing else but the labels.

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
    """What makes such batches of images, factors and the settings of `Batches`."""
    return functools.partial(LabelBatches, share=share, choice=choice)
