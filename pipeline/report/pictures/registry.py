"""Which class draws which kind of observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from latentloom.pipeline.observations import Kind
from latentloom.pipeline.report.pictures.documents import WordLists
from latentloom.pipeline.report.pictures.images import Mosaics
from latentloom.pipeline.report.pictures.protocol import Figures
from latentloom.pipeline.report.pictures.vectors import ScatterPlots

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
