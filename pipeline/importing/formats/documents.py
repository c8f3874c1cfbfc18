"""Bags of words from a NumPy archive: sparse rows of counts, a vocabulary and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples, LeftOut
from latentloom.pipeline.importing.formats.document_arrays import (
    Arrays,
    check_one_of,
    prefixes_of,
    read_vocabulary,
)
from latentloom.pipeline.importing.formats.document_labels import read_factors
from latentloom.pipeline.importing.formats.document_rows import read_rows
from latentloom.pipeline.importing.source import Ignored, batch_size, path_name, position_ids
from latentloom.pipeline.importing.split_names import NONE, TRAIN, SplitRule

EMPTY = "the document has no word of the vocabulary"


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
    vocabulary = read_vocabulary(file, arrays)
    check_one_of(file, ("indptr", "train_indptr"), arrays)
    prefixes = prefixes_of(arrays)
    splits, left_out = _splits(file, arrays, prefixes, rule)
    counts = {
        split: read_rows(file, prefix, arrays, len(vocabulary)) for split, prefix in splits.items()
    }
    factors, codes = read_factors(file, arrays, splits)
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
