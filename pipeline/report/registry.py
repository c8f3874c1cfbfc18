"""Which class draws which kind of observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from latentloom.pipeline.observations import Kind
from latentloom.pipeline.report.figures import Figures, Mosaics, ScatterPlots
from latentloom.pipeline.report.word_lists import WordLists

PICTURES: Mapping[str, Callable[[Sequence[str]], Figures]] = {
    "image": lambda vocabulary: Mosaics(),
    "vector": lambda vocabulary: ScatterPlots(),
    "counts": WordLists,
}
"""By the name of a kind, what makes its pictures from a vocabulary."""


def pictures_of(kind: Kind, vocabulary: Sequence[str] = ()) -> Figures:
    """How observations are drawn in a report.

    Args:
        kind: The kind of observation.
        vocabulary: The words of bags of words, by number.
    """
    return PICTURES[kind.scaling.kind](vocabulary)
