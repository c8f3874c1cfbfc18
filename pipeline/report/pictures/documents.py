"""Bags of words as lists of their most frequent words, each with a bar as long as its count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.report.pictures.protocol import Parts, classes_in_turn
from latentloom.pipeline.report.pictures.word_grid import word_grid

SHOWN_WORDS = 6
_MOST_ROWS = 10
_MOST_CLASSES = 5
_STEPS = 3


class DocumentPictures:
    """Bags of words, their top words one below the other.

    Args:
        vocabulary: The words, by number.
    """

    traversal_caption: ClassVar[str] = (
        "In the middle, the most frequent words of what the model makes of a long document; left "
        "and right of it, of the same moved along one axis a row, by so many standard deviations "
        "of the block's prior, all else kept. {order} Those in red the gate would reject: "
        "they may have lost the class."
    )

    def __init__(self, vocabulary: Sequence[str]):
        self.vocabulary = np.array(vocabulary)

    def variants(
        self, anchors: Examples, variants: np.ndarray, accepted: np.ndarray, names: Sequence[str]
    ) -> bytes:
        """Draws some anchors of each class, a row each, and their first variants."""
        rows = classes_in_turn(anchors.labels)
        made = variants[rows, :_STEPS]
        cells = np.concatenate([anchors.images[rows][:, None], made], axis=1)
        whole = np.ones((len(rows), 1), bool)
        return self._grid(
            cells,
            np.concatenate([whole, accepted[rows, :_STEPS]], axis=1),
            [names[int(label)] for label in anchors.labels[rows]],
            ["real", *(f"variant {number}" for number in range(1, made.shape[1] + 1))],
        )

    def exchange(
        self,
        examples: Examples,
        cells: np.ndarray,
        accepted: np.ndarray,
        names: Sequence[str],
        parts: Parts,
        others: np.ndarray,
    ) -> bytes:
        """Draws a grid of the first classes, with the real documents at its left."""
        shown = slice(_MOST_CLASSES)
        titles = [names[int(label)] for label in examples.labels[shown]]
        real = examples.images[shown][:, None]
        passed = np.concatenate([np.ones((len(titles), 1), bool), accepted[shown, shown]], axis=1)
        columns = ["real", *(f"{parts[1]}: {title}" for title in titles)]
        made = np.concatenate([real, cells[shown, shown]], axis=1)
        return self._grid(made, passed, titles, columns)

    def copies(self, draws: np.ndarray, nearest: np.ndarray) -> bytes | None:
        """Draws a row of each."""
        cells = np.concatenate([draws[:, None], nearest[:, :_STEPS]], axis=1)[:_MOST_ROWS]
        columns = ["draw", *(f"nearest {number}" for number in range(1, cells.shape[1]))]
        return self._grid(cells, np.ones(cells.shape[:2], bool), [""] * len(cells), columns)

    def clearest(self, observations: np.ndarray) -> int:
        """The longest: in short documents every word occurs once, likely or not."""
        return int(np.argmax(observations.sum(axis=1)))

    def traversal(
        self,
        steps: np.ndarray,
        cells: np.ndarray,
        accepted: np.ndarray,
        axes: np.ndarray,
        labels: Sequence[str],
        others: np.ndarray,
    ) -> bytes:
        """Draws a row an axis: its two ends and the middle."""
        shown = np.linspace(0, len(steps) - 1, _STEPS).astype(int)
        titles = [f"{axis}: {label}" for axis, label in zip(axes, labels, strict=True)]
        columns = [f"{step:+g}" if step else "0" for step in steps[shown]]
        return self._grid(cells[:, shown], accepted[:, shown], titles, columns)

    def captions(self, parts: Parts) -> dict[str, str]:
        """What rows, columns and colours are."""
        carriers, others = parts
        return {
            "variants": "The most frequent words of a real document, left, and of its variants "
            "before the gate, each with its count as a bar. Those in red are rejected.",
            "exchange": "Left, the most frequent words of real documents, one a class; right of "
            f"them, of what the model makes of their class (their {carriers}) and the rest of the "
            f"one that the column names (its {others}). A row should be of one class. Those in red "
            "the gate would reject.",
        }

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


def frequent_words(counts: np.ndarray, number: int) -> np.ndarray:
    """The most frequent words of each document, and of those as frequent the rarest among all.

    Args:
        counts: `(n, words)` integers.
        number: Integer, how many.

    Returns:
        Numbers of words, int64 of shape `(n, number)`, the most frequent first; fewer where the
        vocabulary is smaller.
    """
    rarity = np.broadcast_to((counts > 0).sum(axis=0), counts.shape)
    order = np.lexsort((rarity, -counts.astype(np.int64)), axis=-1)
    return order[:, :number]
