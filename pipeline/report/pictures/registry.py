"""Which class draws which kind of observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from latentloom.pipeline.observations import Kind
from latentloom.pipeline.report.pictures.documents import DocumentPictures
from latentloom.pipeline.report.pictures.images import ImagePictures
from latentloom.pipeline.report.pictures.protocol import Pictures
from latentloom.pipeline.report.pictures.vectors import VectorPictures

PICTURES: Mapping[str, Callable[[Sequence[str]], Pictures]] = {
    "image": lambda vocabulary: ImagePictures(),
    "vector": lambda vocabulary: VectorPictures(),
    "counts": DocumentPictures,
}
"""By the name of a kind, what makes its pictures from a vocabulary."""


def pictures_of(kind: Kind, vocabulary: Sequence[str] = ()) -> Pictures:
    """How observations are drawn in a report.

    Args:
        kind: The kind of observation.
        vocabulary: The words of bags of words, by number.
    """
    return PICTURES[kind.scaling.kind](vocabulary)
