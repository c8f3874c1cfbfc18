"""Reads all that an import would, without writing: counts, what is left out, and some examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from latentloom.augment.randomness import identity_keys
from latentloom.pipeline.dataset.details import ImportedDetails
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.opened_import import open_import
from latentloom.pipeline.importing.outcome import Progress
from latentloom.pipeline.importing.source import Source, vocabulary_of
from latentloom.pipeline.importing.write_split import stored_ids

MOST_CLASSES = 20
"""Most classes of which examples are kept."""
MOST_OF_EACH = 10
"""Most examples that are kept of a class, and of those that an import changes in a way."""


@dataclass(frozen=True)
class ImportPreview:
    """What an import would write.

    Args:
        name: Name of the data set.
        source: The source with all options applied.
        vocabulary: Words of a bag of words, by number; empty for other observations.
        counts: Number of examples of each class, by split.
        totals: `requested`, `written`, `rejected` and `dead` examples.
        details: What is left out, dead or changed.
        examples: Some training examples of each class, the class by its number.
        changed: Some examples that are changed on the way, by the kind of change.
    """

    name: str
    source: Source
    vocabulary: list[str]
    counts: Mapping[str, list[int]]
    totals: Mapping[str, int]
    details: ImportedDetails
    examples: Mapping[int, Examples]
    changed: Mapping[str, Examples]


def preview_import(
    source: str, *, progress: Progress | None = None, **options: Any
) -> ImportPreview:
    """Reads a source as `import_dataset` would, and writes nothing.

    Args:
        source: Source to read, one of `specs.SPECS`.
        progress: Called as `progress(done, total)` with numbers of examples.
        **options: Options of `import_dataset` that decide what is read.

    Raises:
        ValueError: If an option or the data is invalid, or too many examples are unusable.
        FileNotFoundError: If the source is missing.
    """
    opened = open_import(source, progress=progress, **options)
    splits = list(opened.source.splits)
    counts = {split: np.zeros(opened.num_classes, np.int64) for split in splits}
    examples, changed = _Kept(MOST_CLASSES), _Kept()
    for split in splits:
        for batch, dead in opened.source.batches(split):
            ids = stored_ids(opened.name, split, batch)
            changes = opened.outcome.add_batch(split, batch, ids, dead)
            counts[split] += np.bincount(batch.labels, minlength=opened.num_classes)
            if split == "train":
                examples.add(batch, {label: batch.labels == label for label in set(batch.labels)})
            changed.add(batch, {kind: amounts > 0 for kind, amounts in changes.items()})
    opened.outcome.check_complete()
    return ImportPreview(
        name=opened.name,
        source=opened.source,
        vocabulary=vocabulary_of(opened.source),
        counts={split: found.tolist() for split, found in counts.items()},
        totals=opened.outcome.totals(),
        details=ImportedDetails.read(opened.all_details()),
        examples=dict(sorted(examples.groups.items())),
        changed=changed.groups,
    )


class _Kept:
    """Keeps some examples of each group, those of the smallest keyed hashes of their ids.

    Args:
        most_groups: Most groups, those of the smallest names; None for all.
    """

    def __init__(self, most_groups: int | None = None):
        self.groups: dict[Any, Examples] = {}
        self._most_groups = most_groups

    def add(self, batch: Examples, rows: Mapping[Any, np.ndarray]) -> None:
        """Adds examples: by group, which rows of the batch belong to it, bool `(batch_size,)`."""
        keys = _keys(batch)
        for group, chosen in rows.items():
            found = np.flatnonzero(chosen)
            best = found[np.argsort(keys[found], kind="stable")[:MOST_OF_EACH]]
            if len(best):
                self._merge(group, batch.take(best).loaded())
        while self._most_groups and len(self.groups) > self._most_groups:
            del self.groups[max(self.groups)]

    def _merge(self, group: Any, examples: Examples) -> None:
        if (known := self.groups.get(group)) is not None:
            examples = Examples.concatenate([known, examples])
        order = np.argsort(_keys(examples), kind="stable")[:MOST_OF_EACH]
        self.groups[group] = examples.take(order)


def _keys(examples: Examples) -> np.ndarray:
    return identity_keys(0, "preview", examples.ids)
