"""The class that draws each kind of observation."""

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
"""Constructors of `Pictures`, from a vocabulary, by the name of the kind."""


def pictures_of(kind: Kind, vocabulary: Sequence[str] = ()) -> Pictures:
    """Returns the `Pictures` of a kind of observation.

    Args:
        kind: The kind of observation.
        vocabulary: The words of bags of words, by number.
    """
    return PICTURES[kind.scaling.kind](vocabulary)
