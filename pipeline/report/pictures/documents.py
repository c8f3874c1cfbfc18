"""Bags of words as lists of their most frequent words, each with a bar for its count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentloom.pipeline.dataset.sampling import classes_in_turn
from latentloom.pipeline.report.pictures.protocol import GRID_ROWS
from latentloom.pipeline.report.pictures.shown import (
    ShownClass,
    ShownExamples,
    ShownExchange,
    ShownTraversal,
    ShownVariants,
)
from latentloom.pipeline.report.pictures.word_grid import word_grid
from latentloom.pipeline.report.schema import Picture

SHOWN_WORDS = 6
_MOST_ROWS = 10
_MOST_CLASSES = 5
_STEPS = 3
_OF_CLASS = {"real": 1, "accepted": 2, "rejected": 1}  # columns
EXAMPLES = "The most frequent words of some documents of each group, each with its count as a bar."
VARIANTS = (
    "The most frequent words of a real document, left, and of its variants before the gate, each "
    "with its count as a bar. Red marks rejected variants."
)
CLASSES = (
    "The most frequent words of a real document of each class, of variants that the gate accepts, "
    "as they are written, and, in red, of rejected ones, each with its count as a bar."
)
EXCHANGE = (
    "Left, the most frequent words of real documents, one per class; right, of documents decoded "
    "from the class of the document at the left (its {carriers}) and the rest of the document in "
    "the title of the column (its {others}). A row should have one class. The gate would reject "
    "those in red."
)
TRAVERSAL = (
    "In the middle, the most frequent words of the reconstruction of a long document; left and "
    "right, after moving its code along one axis per row, in standard deviations of the block's "
    "prior, with everything else unchanged. {order} The gate would reject those in red: they may "
    "have lost the class."
)


class DocumentPictures:
    """Draws bags of words as lists of their most frequent words.

    Args:
        vocabulary: The words, by number.
    """

    most_of_class: ClassVar[int] = max(_OF_CLASS.values())

    def __init__(self, vocabulary: Sequence[str]):
        self.vocabulary = np.array(vocabulary)

    def examples(self, shown: ShownExamples) -> Picture:
        """Draws one row per group of its first documents."""
        most = min(_STEPS, max(map(len, shown.groups)))
        rows = np.stack([np.resize(rows[:most], most) for rows in shown.groups])
        real = np.arange(most) < np.array([[len(rows)] for rows in shown.groups])
        cells = shown.examples.observations[rows] * real[..., None]
        whole = np.ones(rows.shape, bool)
        grid = self._grid(cells, whole, shown.titles, [""] * most)
        return Picture(grid, EXAMPLES)

    def variants(self, shown: ShownVariants) -> Picture:
        """Draws one row per anchor, classes in turn, with its first variants."""
        rows = classes_in_turn(shown.anchors.labels, GRID_ROWS)
        anchors, made = shown.anchors.take(rows), shown.variants[rows, :_STEPS]
        cells = np.concatenate([anchors.observations[:, None], made], axis=1)
        whole = np.ones((len(rows), 1), bool)
        grid = self._grid(
            cells,
            np.concatenate([whole, shown.accepted[rows, :_STEPS]], axis=1),
            [shown.names[int(label)] for label in anchors.labels],
            ["real", *(f"variant {number}" for number in range(1, made.shape[1] + 1))],
        )
        return Picture(grid, VARIANTS)

    def classes(self, shown: Sequence[ShownClass]) -> Picture:
        """Draws one row per class: a real document, two accepted variants and a rejected one."""
        cells = np.stack(
            [
                np.concatenate([_filled(getattr(some, name), n) for name, n in _OF_CLASS.items()])
                for some in shown
            ]
        )
        heads = [name for name, number in _OF_CLASS.items() for _ in range(number)]
        accepted = np.tile([head != "rejected" for head in heads], (len(shown), 1))
        return Picture(self._grid(cells, accepted, [s.name for s in shown], heads), CLASSES)

    def exchange(self, shown: ShownExchange) -> Picture:
        """Draws a grid of the first classes, with the real documents at its left."""
        some, (carriers, others) = slice(_MOST_CLASSES), shown.parts
        titles = [shown.names[int(label)] for label in shown.examples.labels[some]]
        real = shown.examples.observations[some][:, None]
        whole = np.ones((len(titles), 1), bool)
        grid = self._grid(
            np.concatenate([real, shown.cells[some, some]], axis=1),
            np.concatenate([whole, shown.accepted[some, some]], axis=1),
            titles,
            ["real", *(f"{others}: {title}" for title in titles)],
        )
        return Picture(grid, EXCHANGE.format(carriers=carriers, others=others))

    def traversal(self, shown: ShownTraversal) -> Picture:
        """Draws one row per axis: its two ends and the middle."""
        some = np.linspace(0, len(shown.steps) - 1, _STEPS).astype(int)
        titles = [f"{axis}: {label}" for axis, label in zip(shown.axes, shown.labels, strict=True)]
        columns = [f"{step:+g}" if step else "0" for step in shown.steps[some]]
        grid = self._grid(shown.cells[:, some], shown.accepted[:, some], titles, columns)
        return Picture(grid, TRAVERSAL.format(order=shown.order))

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws one row per draw, with its nearest training examples."""
        cells = np.concatenate([draws[:, None], nearest[:, :_STEPS]], axis=1)[:_MOST_ROWS]
        columns = ["draw", *(f"nearest {number}" for number in range(1, cells.shape[1]))]
        return self._grid(cells, np.ones(cells.shape[:2], bool), [""] * len(cells), columns)

    def clearest(self, observations: np.ndarray) -> int:
        """The longest document; in a short one every word occurs once, likely or not."""
        return int(np.argmax(observations.sum(axis=1)))

    def _grid(
        self,
        cells: np.ndarray,
        accepted: np.ndarray,
        titles: Sequence[str],
        columns: Sequence[str],
    ) -> bytes:
        words = frequent_words(cells.reshape(-1, cells.shape[-1]), SHOWN_WORDS)
        words = words.reshape(*cells.shape[:2], -1)
        counts = np.take_along_axis(cells, words, axis=-1)
        return word_grid(self.vocabulary[words], counts, accepted, titles, columns)


def _filled(documents: np.ndarray, number: int) -> np.ndarray:
    """The first documents, and empty ones in place of those that are missing."""
    missing = max(0, number - len(documents))
    return np.pad(documents[:number], [(0, missing), (0, 0)])


def frequent_words(counts: np.ndarray, number: int) -> np.ndarray:
    """The most frequent words of each document; ties go to words that fewer documents have.

    Args:
        counts: `(n, words)` integers.
        number: Number of words per document.

    Returns:
        Indices of words, int64 of shape `(n, number)`, the most frequent first; fewer columns if
        the vocabulary is smaller.
    """
    rarity = np.broadcast_to((counts > 0).sum(axis=0), counts.shape)
    order = np.lexsort((rarity, -counts.astype(np.int64)), axis=-1)
    return order[:, :number]
