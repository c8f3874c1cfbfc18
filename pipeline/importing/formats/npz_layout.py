"""Which array of an archive is what: images, labels and factors, together or by split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from latentloom.model_zoo.archives import ArrayHeader
from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.importing.arrays import ArraySource
from latentloom.pipeline.importing.splits import split_named

OBSERVED = ("images", "observations")
_MEANINGS = {
    "images": ("images", "image", "imgs", "data", "x"),
    "observations": ("observations",),
    "label": ("label", "labels", "y"),
}
_FIELDS = {name: field for field, names in _MEANINGS.items() for name in names}

Layout = dict[str, dict[str, str]]
"""By split, the name of the array behind each field; the split "" if `split` has it."""


def layout_of(names: Iterable[str]) -> Layout:
    """Finds arrays of splits, such as `train_images` (MedMNIST) or `x_train` (Keras).

    Args:
        names: Names of the arrays.

    Returns:
        The fields of each split; of the split "" if the arrays are not those of splits.
    """
    names = list(names)
    parts: Layout = {}
    for name in names:
        found = _in_split(name)
        if found and not set(OBSERVED) & set(names):
            split, field = found
            parts.setdefault(split, {})[field] = name
    parts = {split: fields for split, fields in parts.items() if set(OBSERVED) & set(fields)}
    if not parts:
        return {"": {name: name for name in names}}
    shared = set.intersection(*map(set, parts.values()))
    return {split: {f: fields[f] for f in fields if f in shared} for split, fields in parts.items()}


def _in_split(name: str) -> tuple[str, str] | None:
    """Returns the split and the field of an array, or None if its name has no split."""
    for word, rest in (name.partition("_")[::2], name.rpartition("_")[::-2]):
        if rest and (split := split_named(word)):
            return split, _FIELDS.get(rest.lower(), rest)
    return None


def class_numbers(file: str, values: np.ndarray) -> np.ndarray:
    """Returns labels of shape `(n,)`, from such labels, a column of them, or one-hot rows.

    Args:
        file: Path of the archive, for the error.
        values: Labels of shape `(n,)`, `(n, 1)` or, one-hot, `(n, classes)`.

    Raises:
        ValueError: If a row has not exactly one 1 among zeros.
    """
    if values.ndim == 1:
        return values
    if values.shape[1] == 1:
        return values[:, 0]
    plain = values.dtype.kind in "biuf" and np.isin(values, (0, 1)).all(axis=1)
    fits = plain & (np.sum(values == 1, axis=1) == 1)
    if not np.all(fits):
        row = int(np.argmin(fits)) if np.ndim(fits) else 0
        raise ValueError(
            f"The labels of '{file}' are not one-hot. Expected: one 1 in each row, else 0; or one "
            f"class for each image. Received: row {row}, {values[row].tolist()[:20]}. Save one "
            "column as `label`, and others as factors of shape (n,)."
        )
    return values.argmax(axis=1)


def is_label(header: ArrayHeader, size: int) -> bool:
    """Returns whether an array has the shape of labels, one-hot or not."""
    return header.ndim in (1, 2) and header.shape[0] == size and header.num_bytes > 0


@dataclass(frozen=True)
class SplitArrays:
    """Arrays of several splits, each in a source of its own.

    Args:
        parts: By split, a source that has this split alone; all have the same factors.
    """

    parts: Mapping[str, ArraySource]
    label_field: str = "label"

    @property
    def _first(self) -> ArraySource:
        return next(iter(self.parts.values()))

    @property
    def name(self) -> str:
        """The name of the archive."""
        return self._first.name

    @property
    def description(self) -> str:
        """What the arrays are."""
        return self._first.description

    @property
    def observation(self) -> str:
        """The kind of observation."""
        return self._first.observation

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Event shape of the observations."""
        return self._first.observation_shape

    @property
    def factors(self) -> dict[str, list[str]]:
        """Value names of each factor."""
        return self._first.factors

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        return {split: part.splits[split] for split, part in self.parts.items()}

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split; an id is the position within the split."""
        return self.parts[split].batches(split)
