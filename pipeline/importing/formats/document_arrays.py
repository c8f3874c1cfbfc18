"""Which arrays of an archive hold bags of words, by their names and headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader
from latentloom.pipeline.importing.arrays import read_texts
from latentloom.pipeline.importing.formats.document_rows import PARTS, are_rows, no_rows
from latentloom.pipeline.observations.vocabulary import check_vocabulary

GROUPS = "groups"
"""The array of the names of the classes."""
_VOCABULARY = ("vocab", "vocabulary")
NO_FACTORS = (*PARTS, *_VOCABULARY, GROUPS)
"""Arrays that are no factor, whatever their length."""
_SPLIT = re.compile(r"(?:(\w+)_)?indptr")
_ROWS = re.compile(r"(?:\w+_)?(?:data|indices|indptr)")

Arrays = Mapping[str, np.ndarray]
Stored = TypeVar("Stored", ArrayHeader, np.ndarray)


def is_of_documents(names: Iterable[str]) -> bool:
    """Returns whether an archive holds sparse rows, by the names of its arrays."""
    return any(_SPLIT.fullmatch(name) for name in names)


def names_of_documents(names: Iterable[str]) -> list[str]:
    """Returns the names of sparse rows, of the vocabulary and of the names of the classes."""
    known = (*_VOCABULARY, GROUPS)
    return [name for name in names if _ROWS.fullmatch(name) or name in known]


def prefixes_of(names: Iterable[str]) -> list[str]:
    """Returns what the names of the arrays of each split begin with, such as `train_`."""
    return [name.removesuffix("indptr") for name in names if _SPLIT.fullmatch(name)]


def document_sizes(headers: Mapping[str, ArrayHeader]) -> set[int]:
    """Returns the numbers of documents of the splits, from the headers of the arrays."""
    indptr = [header for name, header in headers.items() if _SPLIT.fullmatch(name)]
    return {size - 1 for header in indptr for size in header.shape[:1]}


def check_document_headers(file: str, headers: Mapping[str, ArrayHeader]) -> None:
    """Rejects sparse rows or a vocabulary of a wrong type or shape, before they are read.

    Args:
        file: Path of the archive, for messages.
        headers: The headers of its arrays.

    Raises:
        ValueError: If an array is no row of numbers, or of texts for the vocabulary.
    """
    for name in _VOCABULARY:
        if name in headers:
            _check_vocabulary(file, headers[name])
    for prefix in prefixes_of(headers):
        parts = {part: headers[prefix + part] for part in PARTS if prefix + part in headers}
        if len(parts) == len(PARTS) and not are_rows(parts):
            raise ValueError(no_rows(file, prefix, parts))


def read_vocabulary(file: str, arrays: Arrays) -> list[str]:
    """Returns the words of an archive, by number.

    Raises:
        ValueError: If there are none, or two arrays of them, or they are no distinct texts.
    """
    check_one_of(file, _VOCABULARY, arrays)
    found = next((arrays[name] for name in _VOCABULARY if name in arrays), None)
    words = read_texts("vocab", _check_vocabulary(file, found))
    check_vocabulary(words)
    return words


def _check_vocabulary(file: str, found: Stored | None) -> Stored:
    """Returns the vocabulary, or its header, if it is a row of texts."""
    if found is None or found.ndim != 1 or found.dtype.kind not in "US":
        shape = "no such array" if found is None else f"{found.dtype} of shape {found.shape}"
        raise ValueError(
            f"'{file}' has no vocabulary. Expected: an array `vocab` of texts, one per word. "
            f"Received: {shape}. Add it."
        )
    return found


def check_one_of(file: str, names: Sequence[str], arrays: Arrays) -> None:
    """Rejects an archive with two arrays of one meaning, of which its order would choose."""
    if len(found := [name for name in names if name in arrays]) > 1:
        raise ValueError(
            f"'{file}' has two arrays for the same. Expected: one of {', '.join(names)}. "
            f"Received: {' and '.join(found)}. Leave one out."
        )
