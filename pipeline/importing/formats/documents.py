"""Bags of words from a NumPy archive: sparse rows of counts, a vocabulary and labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader
from latentloom.pipeline.dataset.examples import DeadLetter, Examples, LeftOut
from latentloom.pipeline.importing.arrays import encode_values, read_texts
from latentloom.pipeline.importing.source import Ignored, batch_size, path_name, position_ids
from latentloom.pipeline.importing.split_names import NONE, TRAIN, SplitRule
from latentloom.pipeline.observations import MOST_COUNTED
from latentloom.pipeline.observations.vocabulary import check_vocabulary

EMPTY = "the document has no word of the vocabulary"
_PARTS = ("data", "indices", "indptr")
_LABELS = ("label", "labels")
_VOCABULARY = ("vocab", "vocabulary")
_NAMES = "groups"
_NO_FACTORS = (*_PARTS, *_VOCABULARY, _NAMES)
_SPLIT = re.compile(r"(?:(\w+)_)?indptr")
_ROWS = re.compile(r"(?:\w+_)?(?:data|indices|indptr)")

Arrays = Mapping[str, np.ndarray]
Stored = TypeVar("Stored", ArrayHeader, np.ndarray)


@dataclass(frozen=True)
class DocumentSource:
    """Documents in memory as sparse rows; leaves out documents without a word of the vocabulary.

    Args:
        counts: By split, a `csr_array` of shape `(n, words)`; stored entries are at least 1.
        codes: By split, int64 of shape `(n,)` for each factor.
        vocabulary: The words, by number.
        ignored: What an import leaves out.
    """

    name: str
    description: str
    factors: dict[str, list[str]]
    counts: dict[str, Any]
    codes: dict[str, dict[str, np.ndarray]]
    vocabulary: list[str]
    label_field: str = "label"
    observation: str = "counts"
    ignored: list[Ignored] = field(default_factory=list)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The number of words."""
        return (len(self.vocabulary),)

    @property
    def splits(self) -> dict[str, int]:
        """Number of documents of each split, empty ones included."""
        return {split: len(codes["label"]) for split, codes in self.codes.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an id is the position within the split."""
        size = batch_size(self)
        for start in range(0, self.splits[split], size):
            stop = min(start + size, self.splits[split])
            counts = self.counts[split][start:stop].toarray()
            rows = np.flatnonzero(counts.any(axis=1))
            empty = np.setdiff1d(np.arange(stop - start), rows) + start
            factors = {name: codes[start + rows] for name, codes in self.codes[split].items()}
            yield (
                Examples(counts[rows], factors, position_ids((start + rows).tolist())),
                [LeftOut(split, row, EMPTY) for row in empty.tolist()],
            )


def is_of_documents(names: Iterable[str]) -> bool:
    """Returns whether an archive holds sparse rows, by the names of its arrays."""
    return any(_SPLIT.fullmatch(name) for name in names)


def names_of_documents(names: Iterable[str]) -> list[str]:
    """Returns the names of sparse rows, of the vocabulary and of the names of the classes."""
    known = (*_VOCABULARY, _NAMES)
    return [name for name in names if _ROWS.fullmatch(name) or name in known]


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
    for prefix in [name.removesuffix("indptr") for name in headers if _SPLIT.fullmatch(name)]:
        parts = {part: headers[prefix + part] for part in _PARTS if prefix + part in headers}
        if len(parts) == len(_PARTS) and not _are_rows(parts):
            raise ValueError(_no_rows(file, prefix, parts))


def open_documents(
    file: str, arrays: Arrays, rule: SplitRule, unused: Sequence[Ignored] = ()
) -> DocumentSource:
    """Opens sparse rows `data`, `indices` and `indptr`, with an optional prefix `<split>_`.

    `vocab` or `vocabulary` has the words. `label` or `labels`, with the same prefix, has the
    classes; `groups` may have their names. Another array is a factor if every split has it, with
    one value per document.

    Args:
        file: Path of the archive, for messages.
        arrays: Its arrays.
        rule: Tells splits by their names.
        unused: Arrays of the archive that are left out.

    Raises:
        TypeError: If an array has the wrong type.
        ValueError: If an array is missing, or the arrays do not fit each other.
    """
    vocabulary = _read_vocabulary(file, arrays)
    _check_one_of(file, ("indptr", "train_indptr"), arrays)
    prefixes = [name.removesuffix("indptr") for name in arrays if _SPLIT.fullmatch(name)]
    splits, left_out = _splits(file, arrays, prefixes, rule)
    counts = {
        split: _read_rows(file, prefix, arrays, len(vocabulary)) for split, prefix in splits.items()
    }
    factors, codes = _read_factors(file, arrays, splits)
    return DocumentSource(
        name=path_name(file),
        description=f"Documents as counts of {len(vocabulary):,} words, from a NumPy archive.",
        factors=factors,
        counts=counts,
        codes=codes,
        vocabulary=vocabulary,
        ignored=[*left_out, *unused],
    )


def _splits(
    file: str, arrays: Arrays, prefixes: Sequence[str], rule: SplitRule
) -> tuple[dict[str, str], list[Ignored]]:
    """Returns the prefix of the arrays of each split, and what `--split` leaves out."""
    names = {prefix.removesuffix("_") or TRAIN: prefix for prefix in prefixes}
    rule.check_patterns(list(names), file)
    told = rule.assign(list(names), file)
    splits: dict[str, str] = {}
    for name, split in told.items():
        if split in splits:
            raise ValueError(
                f"'{file}' has two sets of documents for the split '{split}'. Expected: one. "
                f"Received: '{splits[split]}' and '{names[name]}'. Pass --split {name}={NONE} to "
                "leave one out, or join them."
            )
        if split != NONE:
            splits[split] = names[name]
    left_out = [
        Ignored(f"--split leaves out '{name}'", len(arrays[f"{names[name]}indptr"]) - 1, name)
        for name, split in told.items()
        if split == NONE
    ]
    return splits, left_out


def _read_vocabulary(file: str, arrays: Arrays) -> list[str]:
    _check_one_of(file, _VOCABULARY, arrays)
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


def _read_rows(file: str, prefix: str, arrays: Arrays, num_words: int) -> Any:
    """Returns the counts of a split, checked, as a `csr_array`."""
    from scipy.sparse import csr_array

    if missing := [part for part in _PARTS if prefix + part not in arrays]:
        raise ValueError(
            f"The counts of '{file}' are incomplete. Expected: arrays `{prefix}data`, "
            f"`{prefix}indices` and `{prefix}indptr`. Received: no `{prefix}{missing[0]}`. Add it."
        )
    data, indices, indptr = (arrays[prefix + part] for part in _PARTS)
    _check_layout(file, prefix, data, indices, indptr)
    outside = indices[(indices < 0) | (indices >= num_words)]
    if len(outside):
        raise ValueError(
            f"'{file}' has words outside its vocabulary. Expected: `{prefix}indices` in 0 to "
            f"{num_words - 1}, the vocabulary having {num_words} words. "
            f"Received: {outside[0]}. Save the vocabulary that the documents were counted with."
        )
    _check_counts(file, f"{prefix}data", data)
    rows = (data.astype(np.int64), indices.astype(np.int64), indptr.astype(np.int64))
    counts = csr_array(rows, shape=(len(indptr) - 1, num_words))
    counts.sum_duplicates()
    _check_counts(file, f"{prefix}data", counts.data)
    return csr_array(counts, dtype=np.int32)


def _check_layout(
    file: str, prefix: str, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray
) -> None:
    """Checks that three arrays are sparse rows."""
    parts = {"data": data, "indices": indices, "indptr": indptr}
    fits = _are_rows(parts)
    if fits:
        places = indptr.astype(np.int64)
        fits = places[0] == 0 and places[-1] == len(data) and bool((np.diff(places) >= 0).all())
    if not fits:
        raise ValueError(_no_rows(file, prefix, parts))


def _are_rows(parts: Mapping[str, ArrayHeader] | Mapping[str, np.ndarray]) -> bool:
    """Returns whether arrays, or their headers, have the types and shapes of sparse rows."""
    data, indices, indptr = (parts[part] for part in _PARTS)
    plain = all(part.ndim == 1 for part in (data, indices, indptr))
    whole = all(part.dtype.kind in "iu" for part in (indices, indptr))
    return plain and whole and indptr.shape[0] > 1 and data.shape == indices.shape


def _no_rows(
    file: str, prefix: str, parts: Mapping[str, ArrayHeader] | Mapping[str, np.ndarray]
) -> str:
    told = ", ".join(f"{prefix}{name} {part.dtype}{part.shape}" for name, part in parts.items())
    return (
        f"The counts of '{file}' are not sparse rows. Expected: `{prefix}indptr` integers from "
        f"0 to the length of `{prefix}data` and `{prefix}indices`, non-decreasing. "
        f"Received: {told}. Save `data`, `indices` and `indptr` of a scipy.sparse.csr_array."
    )


def _check_counts(file: str, name: str, counts: np.ndarray) -> None:
    """Checks that counts are whole numbers that float32 holds exactly."""
    if counts.dtype.kind not in "biuf":
        raise TypeError(
            f"The counts of '{file}' have the wrong type. Expected: integers. "
            f"Received: {name}.dtype={counts.dtype}. Cast them."
        )
    with np.errstate(invalid="ignore"):
        bad = counts[~((counts >= 0) & (counts <= MOST_COUNTED) & (counts % 1 == 0))]
    if len(bad):
        raise ValueError(
            f"The counts of '{file}' are out of range. Expected: whole numbers from 0 to "
            f"{MOST_COUNTED}. Received: {len(bad)} others in `{name}`, the first {bad[0]}. "
            "Count words, without weights."
        )


def _read_factors(
    file: str, arrays: Arrays, splits: Mapping[str, str]
) -> tuple[dict[str, list[str]], dict[str, dict[str, np.ndarray]]]:
    """Returns the value names of every factor that all splits have, and its codes by split."""
    columns = {split: _columns(file, arrays, prefix) for split, prefix in splits.items()}
    ends = np.cumsum([len(column["label"]) for column in columns.values()])[:-1]
    shared = set.intersection(*(set(column) for column in columns.values()))
    factors: dict[str, list[str]] = {}
    codes: dict[str, dict[str, np.ndarray]] = {split: {} for split in splits}
    for name in sorted(shared, key=lambda name: (name != "label", name)):
        values = np.concatenate([column[name] for column in columns.values()])
        names = arrays.get(_NAMES) if name == "label" else None
        factors[name], found = _encode(file, name, values, names)
        for split, part in zip(splits, np.split(found, ends), strict=True):
            codes[split][name] = part
    return factors, codes


def _columns(file: str, arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a split with one value per document; the labels as `label`."""
    _check_one_of(file, [f"{prefix}{name}" for name in _LABELS], arrays)
    size, columns = len(arrays[f"{prefix}indptr"]) - 1, {}
    for name, array in arrays.items():
        short = name.removeprefix(prefix)
        if name.startswith(prefix) and array.shape == (size,) and short not in _NO_FACTORS:
            columns["label" if short in _LABELS else short] = array
    if "label" not in columns:
        raise ValueError(
            f"'{file}' has no labels. Expected: an array `{prefix}labels` of shape ({size},). "
            f"Received: {sorted(arrays)}. Add it."
        )
    return columns


def _check_one_of(file: str, names: Sequence[str], arrays: Arrays) -> None:
    """Rejects an archive with two arrays of one meaning, of which its order would choose."""
    if len(found := [name for name in names if name in arrays]) > 1:
        raise ValueError(
            f"'{file}' has two arrays for the same. Expected: one of {', '.join(names)}. "
            f"Received: {' and '.join(found)}. Leave one out."
        )


def _encode(
    file: str, name: str, values: np.ndarray, names: np.ndarray | None
) -> tuple[list[str], np.ndarray]:
    """Returns value names and codes; labels that number the groups get the names of the groups."""
    if names is None or values.dtype.kind not in "iu":
        return encode_values(name, values)
    if (
        names.ndim != 1
        or names.dtype.kind != "U"
        or not values.size
        or not 0 <= values.min() <= values.max() < len(names)
    ):
        raise ValueError(
            f"The labels of '{file}' do not fit their names. Expected: numbers from 0 to "
            f"{len(names) - 1}, positions in `{_NAMES}`. "
            f"Received: {values.min()} to {values.max()}. Name every class."
        )
    return read_texts(_NAMES, names), values.astype(np.int64)
